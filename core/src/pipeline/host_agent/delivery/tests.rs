use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::pipeline::host_agent::delivery::*;
use crate::pipeline::host_agent::net;
use crate::pipeline::host_agent::testing::{FakeAgent, Received, Reply, ok};

fn place(port: u16) -> Connection {
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Connection::new(Address::new("127.0.0.1", port), peer)
}

/// Begins a request of that many bytes and waits for what comes of it.
fn deliver(delivery: &mut Delivery, bytes: usize, patience: Duration) -> Delivered {
    let body = vec![b' '; bytes];
    delivery.begin("/traces".to_owned(), body, Instant::now() + patience);
    loop {
        if let Some(delivered) = delivery.poll() {
            return delivered;
        }
        wait(delivery);
    }
}

fn to(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> (FakeAgent, Delivery) {
    let agent = FakeAgent::start(handler);
    let mut delivery = Delivery::default();
    delivery.set_place(&place(agent.port));
    (agent, delivery)
}

const LONG: Duration = Duration::from_secs(20);

/// Waits until a request can go on, for a while.
pub(super) fn wait(delivery: &mut Delivery) {
    let until = Instant::now() + Duration::from_millis(50);
    if let Some(interest) = delivery.interest() {
        net::wait(&[interest], until);
    }
}

#[test]
fn requests_of_every_size_arrive_over_one_connection() {
    let (agent, mut delivery) = to(|_| ok("[]"));
    for bytes in [0, 2, 16 * 1024, 16 * 1024 + 1, 5 * 1024 * 1024] {
        let delivered = deliver(&mut delivery, bytes, LONG);
        let answer = delivered.outcome.unwrap();
        assert_eq!((answer.status, delivered.maybe_twice), (200, false));
        assert_eq!(agent.log().last().unwrap().body.len(), bytes);
        // The memory is there for the next one.
        assert!(delivery.take_body().capacity() >= bytes);
    }
}

#[test]
fn what_the_agent_may_have_is_known() {
    type Case = (fn(&Received) -> Reply, usize, Progress);
    let cases: [Case; 4] = [
        (|_| Reply::Hang, 10, Progress::Whole),
        (|_| Reply::Close, 10, Progress::Whole),
        (|_| Reply::Reset, 10, Progress::Part),
        (
            |_| Reply::Raw(b"HTTP/1.1 200".to_vec()),
            10,
            Progress::Whole,
        ),
    ];
    for (handler, bytes, progress) in cases {
        let (_agent, mut delivery) = to(handler);
        let delivered = deliver(&mut delivery, bytes, Duration::from_millis(300));
        assert_eq!(delivered.progress, progress, "{delivered:?}");
        assert!(delivered.outcome.is_err());
    }
    // Nobody listens, and nobody reads.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut delivery = Delivery::default();
    delivery.set_place(&place(port));
    let delivered = deliver(&mut delivery, 64 << 20, Duration::from_millis(300));
    assert_eq!(delivered.progress, Progress::Part);
    drop(listener);
    let delivered = deliver(&mut delivery, 10, LONG);
    assert_eq!(delivered.progress, Progress::Nothing);
    assert!(matches!(delivered.outcome, Err(Error::Connect(..))));
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let asked = AtomicUsize::new(0);
    let (agent, mut delivery) = to(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        1 => Reply::Close,
        _ => ok("[]"),
    });
    assert!(deliver(&mut delivery, 10, LONG).outcome.is_ok());
    let delivered = deliver(&mut delivery, 10, LONG);
    assert!(delivered.outcome.is_ok());
    assert!(delivered.maybe_twice, "the agent had read all of it");
    assert_eq!(agent.log().len(), 3);
}

#[test]
fn an_answer_before_all_was_sent_is_read() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        stream
    });
    let mut delivery = Delivery::default();
    delivery.set_place(&place(port));
    let delivered = deliver(&mut delivery, 64 << 20, LONG);
    assert_eq!(delivered.outcome.unwrap().status, 413);
    drop(server.join().unwrap());
}

#[test]
fn time_for_others_does_not_count() {
    let (_agent, mut delivery) = to(|_| {
        thread::sleep(Duration::from_millis(600));
        ok("[]")
    });
    let begun = Instant::now();
    let deadline = begun + Duration::from_millis(500);
    delivery.begin("/traces".to_owned(), b"[]".to_vec(), deadline);
    assert!(delivery.poll().is_none());
    thread::sleep(Duration::from_millis(1500));
    delivery.extend(Duration::from_millis(1500));
    assert!(delivery.poll().unwrap().outcome.is_ok());
}

#[test]
fn another_place_gets_the_next_request() {
    let (first, mut delivery) = to(|_| {
        thread::sleep(Duration::from_millis(100));
        ok("[]")
    });
    let second = FakeAgent::start(|_| ok("[]"));
    delivery.begin("/traces".to_owned(), b"[]".to_vec(), Instant::now() + LONG);
    assert!(delivery.poll().is_none());
    delivery.set_place(&place(second.port));
    while delivery.poll().is_none() {
        wait(&mut delivery);
    }
    assert!(deliver(&mut delivery, 10, LONG).outcome.is_ok());
    assert_eq!((first.log().len(), second.log().len()), (1, 1));
}
