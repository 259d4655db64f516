//! What is said of a place that has taken the request and is slow to answer.

use std::net::TcpListener;
use std::thread;

use crate::pipeline::host_agent::log_once::{LogOnce, Topic};
use crate::pipeline::host_agent::log_texts::{fix, fix_for_lookup};
use crate::pipeline::host_agent::search::*;
use crate::pipeline::host_agent::testing::{FakeAgent, ok};

const LONG: Duration = Duration::from_secs(20);

fn look(search: &mut Search, port: u16, timeout: Duration) -> Looked {
    search.look(&["127.0.0.1".to_owned()], port, timeout, None)
}

#[test]
fn an_answer_is_awaited_until_its_time_has_passed() {
    let slow = FakeAgent::start(|_| {
        thread::sleep(Duration::from_millis(600));
        ok(r#"{"version":"1"}"#)
    });
    let mut search = Search::default();
    let looked = look(&mut search, slow.port, LONG);
    assert!(looked.outcome.is_err() && looked.is_awaited, "{looked:?}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut search = Search::default();
    let timeout = Duration::from_millis(300);
    assert!(look(&mut search, port, timeout).is_awaited);
    thread::sleep(timeout);
    let looked = look(&mut search, port, timeout);
    assert!(!looked.is_awaited, "{looked:?}");
    let words = looked.outcome.unwrap_err();
    assert!(words.contains("no answer in time"), "{words}");
}

#[test]
fn where_nobody_listens_no_answer_is_awaited() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let looked = look(&mut Search::default(), port, LONG);
    assert!(looked.outcome.is_err() && !looked.is_awaited, "{looked:?}");
}

/// It is no reason to start an agent, and no warning.
#[test]
fn what_is_awaited_is_no_warning() {
    assert_ne!(fix_for_lookup(Topic::Awaited), fix::NOBODY);
    let mut log = LogOnce::default();
    log.not_found(Topic::Awaited, "127.0.0.1:42699: no answer yet");
    // Warnings are for the agent's own log, too.
    assert_eq!(log.line(Duration::from_secs(1)), None);
    log.not_found(Topic::Nobody, "127.0.0.1:42699: no answer in time");
    let line = log.line(Duration::from_secs(1)).unwrap();
    assert!(line.text.starts_with("no agent found"), "{}", line.text);
}
