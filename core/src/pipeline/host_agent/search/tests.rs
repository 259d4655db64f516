use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use crate::pipeline::host_agent::search::*;
use crate::pipeline::host_agent::testing::{FakeAgent, Reply, ok, status};

const LONG: Duration = Duration::from_secs(20);

fn agent() -> FakeAgent {
    FakeAgent::start(|_| ok(r#"{"version":"1.1.999"}"#))
}

fn hosts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A port of an address at which connections are neither made nor refused: as many wait
/// as may, so that all others are dropped.
struct Silent {
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
    port: u16,
}

impl Silent {
    fn at(ip: Ipv4Addr, port: u16) -> Self {
        let listener = TcpListener::bind((ip, port)).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
            assert!(waiting.len() < 10_000);
        }
        Self {
            _listener: listener,
            _waiting: waiting,
            port: address.port(),
        }
    }
}

#[test]
fn the_first_host_with_an_agent_is_taken() {
    let (first, second) = (agent(), agent());
    // Another port stands for another host: both are agents, whichever is quicker.
    for _ in 0..20 {
        let looked = Search::default().look(&hosts(&["127.0.0.1"]), first.port, LONG, None);
        let found = looked.outcome.unwrap();
        assert_eq!(
            found.connection.address().to_string(),
            format!("127.0.0.1:{}", first.port)
        );
        assert_eq!((looked.requests, looked.failures), (1, 0));
    }
    drop(second);
}

#[cfg(target_os = "linux")]
#[test]
fn a_slower_better_place_is_waited_for() {
    // 127.0.0.2 is configured and answers late, 127.0.0.1 at once.
    let quick = agent();
    let listener = TcpListener::bind(("127.0.0.2", quick.port)).unwrap();
    thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 512];
        let _ = stream.read(&mut head).unwrap();
        thread::sleep(Duration::from_millis(30));
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"version\":\"1\"}";
        stream.write_all(answer.as_bytes()).unwrap();
        thread::sleep(LONG);
    });
    let both = hosts(&["127.0.0.2", "127.0.0.1"]);
    let found = Search::default().look(&both, quick.port, LONG, None);
    let address = found.outcome.unwrap().connection.address().to_string();
    assert!(address.starts_with("127.0.0.2:"), "{address}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_drops_packets_keeps_nobody_waiting() {
    // The configured host answers from some time on; the gateway never does.
    let gateway = Silent::at(Ipv4Addr::new(127, 0, 0, 3), 0);
    let both = hosts(&["127.0.0.1", "127.0.0.3"]);
    let mut search = Search::default();
    for _ in 0..3 {
        let begun = Instant::now();
        let looked = search.look(&both, gateway.port, LONG, None);
        let words = looked.outcome.unwrap_err();
        assert!(
            words.contains("127.0.0.1") && words.contains("no answer yet"),
            "{words}"
        );
        println!("a look beside a silent gateway took {:?}", begun.elapsed());
        assert!(begun.elapsed() < LONG / 4);
    }
    let _agent = FakeAgent::start_at(gateway.port, |_| ok(r#"{"version":"1"}"#));
    let begun = Instant::now();
    let looked = search.look(&both, gateway.port, LONG, None);
    println!("the agent was found in {:?}", begun.elapsed());
    assert!(looked.outcome.is_ok());

    // The other way round: the configured host is silent, the gateway has an agent.
    let silent = Silent::at(Ipv4Addr::new(127, 0, 0, 4), 0);
    let _agent = FakeAgent::start_at(silent.port, |_| ok(r#"{"version":"1"}"#));
    let both = hosts(&["127.0.0.4", "127.0.0.1"]);
    let begun = Instant::now();
    let looked = Search::default().look(&both, silent.port, LONG, None);
    println!(
        "behind a silent host, the gateway was found in {:?}",
        begun.elapsed()
    );
    assert!(looked.outcome.is_ok());
    assert!(begun.elapsed() < LONG / 4);
}

#[test]
fn what_answers_late_is_found_by_a_later_look() {
    let slow = FakeAgent::start(|_| {
        thread::sleep(Duration::from_millis(600));
        ok(r#"{"version":"1"}"#)
    });
    let mut search = Search::default();
    let host = hosts(&["127.0.0.1"]);
    assert!(search.look(&host, slow.port, LONG, None).outcome.is_err());
    let begun = Instant::now();
    while search.look(&host, slow.port, LONG, None).outcome.is_err() {
        assert!(begun.elapsed() < LONG);
    }
    assert_eq!(slow.log().len(), 1, "one request was enough");
}

#[test]
fn others_are_refused_in_words() {
    type Answer = fn() -> Reply;
    let table: [(Answer, &str); 4] = [
        (|| ok("<html>It works</html>"), "is not JSON"),
        (|| ok("{}"), "no `version`"),
        (|| status(301), "answered 301"),
        (|| Reply::Close, "without a whole answer"),
    ];
    for (answer, words) in table {
        let other = FakeAgent::start(move |_| answer());
        let host = hosts(&["127.0.0.1"]);
        let looked = Search::default().look(&host, other.port, LONG, None);
        let said = looked.outcome.unwrap_err();
        assert!(said.contains(words), "{said}");
        assert_eq!(looked.requests, 1);
    }
}

#[test]
fn every_address_of_a_name_is_tried() {
    // `localhost` often is ::1 first, where nobody listens.
    let agent = agent();
    let host = hosts(&["localhost"]);
    let looked = Search::default().look(&host, agent.port, LONG, None);
    assert_eq!(
        looked.outcome.unwrap().connection.address().authority(),
        format!("localhost:{}", agent.port)
    );
}

#[test]
fn names_are_looked_up_again_after_a_while() {
    let mut search = Search::default();
    let address = Address::new("localhost", 1);
    search.resolve(&address).unwrap();
    let next = search.names[0].next;
    assert!(next > Instant::now() + SHORTEST_KEPT / 2);
    search.resolve(&address).unwrap();
    assert_eq!(search.names[0].next, next, "not again at once");
    search.names[0].next = Instant::now();
    search.resolve(&address).unwrap();
    assert!(search.names[0].next >= next);
    // What is no name is said, and does not keep others from being tried.
    let agent = agent();
    let both = hosts(&["a b", "127.0.0.1"]);
    assert!(search.look(&both, agent.port, LONG, None).outcome.is_ok());
    let words = search.look(&both, 1, LONG, None).outcome.unwrap_err();
    assert!(
        words.contains("not a host name") && words.contains("127.0.0.1:1"),
        "{words}"
    );
}
