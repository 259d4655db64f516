//! Traces over queues and topics.

use std::collections::{HashMap, HashSet};

use instana_dev_agent::{Config, DevAgent};
use serde_json::Value;

use super::{LONG, flushed, queue, start};
use crate::app::App;

/// The only span that `is_it` takes.
fn only(spans: &[Value], is_it: impl Fn(&Value) -> bool) -> &Value {
    let found: Vec<&Value> = spans.iter().filter(|span| is_it(span)).collect();
    let [span] = found.as_slice() else {
        unreachable!("{} such spans in {spans:#?}", found.len())
    };
    span
}

fn sdk<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    only(spans, |span| span["data"]["sdk"]["name"] == name)
}

/// The exit of a message to a queue, or the entry of one from there.
fn at_queue<'a>(spans: &'a [Value], sort: &str, queue: &str) -> &'a Value {
    only(spans, |span| {
        let sqs = &span["data"]["sqs"];
        let is_delete = sqs["type"] == "delete.single.sync";
        sqs["sort"] == sort && sqs["queue"] == queue && !is_delete
    })
}

/// Each span's parent is the one before it.
fn is_chain(spans: &[&Value]) {
    for pair in spans.windows(2) {
        assert_eq!(pair[0]["t"], pair[1]["t"], "one trace: {spans:#?}");
        assert_eq!(pair[0]["s"], pair[1]["p"], "a chain: {spans:#?}");
    }
}

#[test]
fn three_processes_are_one_trace_over_sqs() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let (mut sender, mut relay, mut worker) = (start(&agent), start(&agent), start(&agent));
    let (first, second) = (queue(&mut sender, "first"), queue(&mut sender, "second"));
    assert_eq!(sender.ask(&format!("send {first} 1")), "done");
    assert_eq!(
        relay.ask(&format!("relay {first} {second}")),
        "X_INSTANA_S X_INSTANA_T",
        "the application sees the context, and only what it asked for"
    );
    assert_eq!(worker.ask(&format!("work {second} 1")), "1");
    for app in [&mut sender, &mut relay, &mut worker] {
        flushed(app);
    }
    let spans = agent.wait_for_spans(8, LONG).unwrap();
    is_chain(&[
        sdk(&spans, "sender"),
        at_queue(&spans, "exit", &first),
        at_queue(&spans, "entry", &first),
        at_queue(&spans, "exit", &second),
        at_queue(&spans, "entry", &second),
        sdk(&spans, "store"),
    ]);
    let processes: HashSet<String> = spans.iter().map(|span| span["f"].to_string()).collect();
    assert_eq!(processes.len(), 3);
    assert_eq!(agent.violations(), []);
    assert_eq!(sender.ask(&format!("left {first}")), "0 0");
    assert_eq!(sender.ask(&format!("left {second}")), "0 0");
}

#[test]
fn three_processes_are_one_trace_over_sns() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let (mut publisher, mut relay, mut worker) = (start(&agent), start(&agent), start(&agent));
    let first = queue(&mut publisher, "subscribed");
    let second = queue(&mut publisher, "relayed");
    let topic = publisher.ask(&format!("create-topic topic-{} {first}", publisher.pid()));
    assert!(topic.starts_with("arn:aws:sns:"), "{topic}");
    assert_eq!(publisher.ask(&format!("publish {topic}")), "done");
    // In an envelope, a message has no attributes.
    assert_eq!(relay.ask(&format!("relay {first} {second}")), "");
    assert_eq!(worker.ask(&format!("work {second} 1")), "1");
    for app in [&mut publisher, &mut relay, &mut worker] {
        flushed(app);
    }
    let spans = agent.wait_for_spans(8, LONG).unwrap();
    is_chain(&[
        sdk(&spans, "publisher"),
        only(&spans, |span| {
            span["data"]["sns"]["topic"] == topic.as_str()
        }),
        at_queue(&spans, "entry", &first),
        at_queue(&spans, "exit", &second),
        at_queue(&spans, "entry", &second),
        sdk(&spans, "store"),
    ]);
    assert_eq!(agent.violations(), []);
}

#[test]
fn a_suppressed_chain_stays_suppressed() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let (mut sender, mut relay, mut worker) = (start(&agent), start(&agent), start(&agent));
    let (first, second) = (queue(&mut sender, "quiet-1"), queue(&mut sender, "quiet-2"));
    assert_eq!(sender.ask(&format!("send-suppressed {first}")), "done");
    assert_eq!(relay.ask(&format!("relay {first} {second}")), "X_INSTANA_L");
    assert_eq!(worker.ask(&format!("work {second} 1")), "1");
    for app in [&mut sender, &mut relay, &mut worker] {
        assert_eq!(flushed(app), 0);
    }
    assert_eq!(agent.spans(), [] as [Value; 0]);
}

/// Sends a message with so many attributes of its own; whether the receiver is in
/// the sender's trace.
fn is_continued(sender: &mut App, worker: &mut App, agent: &DevAgent, own: usize) -> bool {
    let queue = queue(sender, &format!("with-{own}"));
    let before = agent.spans().len();
    assert_eq!(sender.ask(&format!("send {queue} {own}")), "done");
    assert_eq!(worker.ask(&format!("work {queue} 1")), "1");
    assert_eq!(
        sender.ask(&format!("left {queue}")),
        "0 0",
        "sent, and once"
    );
    flushed(sender);
    flushed(worker);
    let spans = agent.wait_for_spans(before + 5, LONG).unwrap();
    let exit = at_queue(&spans, "exit", &queue);
    let entry = at_queue(&spans, "entry", &queue);
    let tags = &exit["data"]["sdk"]["custom"]["tags"];
    let is_omitted = tags["messages_without_context"] == 1;
    assert_eq!(entry["p"] != exit["s"], is_omitted);
    !is_omitted
}

#[test]
fn a_message_without_room_is_sent_without_context() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let (mut sender, mut worker) = (start(&agent), start(&agent));
    for (own, continued) in [(8, true), (9, false), (10, false)] {
        let is_continued = is_continued(&mut sender, &mut worker, &agent, own);
        assert_eq!(is_continued, continued, "{own} attributes");
    }
    let counts = sender.ask("counts");
    assert!(counts.ends_with(" 2"), "{counts}");
    assert_eq!(agent.violations(), []);
}

#[test]
fn concurrent_handlers_have_no_foreign_parent() {
    const BATCHES: usize = 10;
    const MESSAGES: usize = BATCHES * 10;
    let agent = DevAgent::start(Config::new()).unwrap();
    let (mut sender, mut worker) = (start(&agent), start(&agent));
    let queue = queue(&mut sender, "many");
    assert_eq!(
        sender.ask(&format!("send-batches {queue} {BATCHES}")),
        "done"
    );
    assert_eq!(
        worker.ask(&format!("work {queue} {MESSAGES}")),
        MESSAGES.to_string()
    );
    flushed(&mut sender);
    flushed(&mut worker);
    assert_eq!(sender.ask(&format!("left {queue}")), "0 0");

    // Entry and exit of a batch; entry, store and delete of a message.
    let spans = agent
        .wait_for_spans(2 * BATCHES + 3 * MESSAGES, LONG)
        .unwrap();
    let by_id: HashMap<&str, &Value> = spans
        .iter()
        .map(|span| (span["s"].as_str().unwrap(), span))
        .collect();
    let parent = |span: &Value| by_id[span["p"].as_str().unwrap()];
    let batch = |span: &Value| span["data"]["sdk"]["custom"]["tags"]["batch"].to_string();
    let mut handled = 0;
    for span in &spans {
        if span["data"]["sdk"]["name"] == "store" {
            let entry = parent(span);
            let exit = parent(entry);
            let sender = parent(exit);
            assert_eq!(entry["data"]["sqs"]["sort"], "entry");
            assert_eq!(exit["data"]["sqs"]["type"], "batch.sync");
            assert_eq!(batch(entry), batch(span));
            assert_eq!(batch(sender), batch(span).trim_matches('"'));
            assert_eq!(sender["t"], span["t"]);
            handled += 1;
        }
    }
    assert_eq!(handled, MESSAGES);
    assert_eq!(agent.violations(), []);
}

#[test]
fn a_handler_that_panics_loses_nothing() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut app = start(&agent);
    let queue = queue(&mut app, "poison");
    assert_eq!(app.ask(&format!("send {queue} 0")), "done");
    assert_eq!(app.ask(&format!("work-panicking {queue}")), "true true");
    assert_eq!(app.ask(&format!("left {queue}")), "0 0");
    flushed(&mut app);
    let spans = agent.wait_for_spans(5, LONG).unwrap();
    let exit = at_queue(&spans, "exit", &queue);
    let entries: Vec<&Value> = spans
        .iter()
        .filter(|span| span["data"]["sqs"]["sort"] == "entry")
        .collect();
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert_eq!(entry["p"], exit["s"], "both continue the sender's trace");
    }
    let errors: Vec<&Value> = entries
        .iter()
        .map(|entry| &entry["data"]["sqs"]["error"])
        .collect();
    assert_eq!(errors, [&Value::from("panicked"), &Value::Null]);
}
