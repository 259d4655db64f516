//! Answers that come too early, or not as a whole.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::thread::JoinHandle;

use crate::pipeline::host_agent::delivery::tests::wait;
use crate::pipeline::host_agent::delivery::*;

const LONG: Duration = Duration::from_secs(20);

/// Sends a request of so many bytes to a peer that answers after it has read `read` of
/// them, and then closes the connection.
fn deliver(bytes: usize, read: usize, answer: &'static [u8]) -> Delivered {
    let (mut delivery, server) = to(read, answer);
    let body = vec![b' '; bytes];
    delivery.begin("/traces".to_owned(), body, Instant::now() + LONG);
    let delivered = loop {
        if let Some(delivered) = delivery.poll() {
            break delivered;
        }
        wait(&mut delivery);
    };
    drop(delivery);
    server.join().unwrap();
    delivered
}

fn to(read: usize, answer: &'static [u8]) -> (Delivery, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut part = vec![0; read];
        stream.read_exact(&mut part).unwrap();
        stream.write_all(answer).unwrap();
        if read < 1_000_000 {
            // Until the other side has given up.
            drop(stream.read_to_end(&mut part));
        }
    });
    let mut delivery = Delivery::default();
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    delivery.set_place(&Connection::new(Address::new("127.0.0.1", port), peer));
    (delivery, server)
}

#[test]
fn a_success_before_all_was_sent_is_none() {
    let answers: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ];
    for answer in answers {
        let delivered = deliver(64 << 20, 100, answer);
        assert!(delivered.outcome.is_err(), "{delivered:?}");
        assert_eq!(delivered.progress, Progress::Part);
    }
}

#[test]
fn a_refusal_before_all_was_sent_counts() {
    let answers: [(&[u8], u16); 3] = [
        (b"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n", 413),
        (b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", 503),
        (b"HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n", 302),
    ];
    for (answer, status) in answers {
        let delivered = deliver(64 << 20, 100, answer);
        assert_eq!(delivered.outcome.unwrap().status, status);
    }
}
