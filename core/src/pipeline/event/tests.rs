use serde_json::{Value, json};

use crate::config::{Code, Environment, Given, Sources};
use crate::pipeline::event::outbox::MAX_WAITING;
use crate::pipeline::event::*;
use crate::pipeline::port::EventSource;
use crate::policy::{LiveSettings, Settings};
use crate::testing::Recorder;

/// An outbox of its own, open, with the service `shop` and the secret `token`.
fn queue() -> (&'static Outbox, QueuedEvents) {
    let outbox: &'static Outbox = Box::leak(Box::new(Outbox::new()));
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    let mut code = Code::default();
    code.service(Given::Text("shop"));
    code.secrets(Given::Text("equals:token"));
    let (_, config, _) = Sources::read(&Environment::default(), code);
    live.replace(Settings::new(config));
    outbox.open(|| ());
    (outbox, QueuedEvents::of(outbox, live))
}

fn json_of(event: Event) -> Value {
    let (outbox, mut events) = queue();
    assert!(outbox.push(event));
    serde_json::from_slice(&events.encode().unwrap()).unwrap()
}

#[test]
fn bodies() {
    let plugin = "com.instana.forge.connection.http.logical.LogicalWebApp";
    let at = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let full = event("Cache cold")
        .text("warm-up took *long*")
        .severity(Severity::Warning)
        .duration(Duration::from_millis(4200))
        .timestamp(at);
    let members = |more: Value| {
        let mut body = json!({
            "title": "Cache cold", "text": "warm-up took *long*", "severity": 5,
            "duration": 4200, "timestamp": 1_700_000_000_123_u64, "host": "",
        });
        let body_members = body.as_object_mut().unwrap();
        body_members.extend(more.as_object().unwrap().clone());
        body
    };
    for (event, expected) in [
        (
            full.clone(),
            members(json!({"plugin": plugin, "id": "shop"})),
        ),
        (
            full.clone().service("other"),
            members(json!({"plugin": plugin, "id": "other"})),
        ),
        (full.clone().host(), members(json!({}))),
        (
            full.clone().host().severity(Severity::Change),
            members(json!({"severity": -1})),
        ),
        (
            full.clone().host().severity(Severity::Critical),
            members(json!({"severity": 10})),
        ),
        (
            full.host().severity(Severity::Info),
            members(json!({"severity": -2})),
        ),
    ] {
        assert_eq!(json_of(event), expected);
    }
    let early = event("e").timestamp(UNIX_EPOCH - Duration::from_secs(1));
    let early = json_of(early);
    assert_eq!(early["timestamp"], 0);
    assert_eq!(early["severity"], -1);
    assert_eq!(early["text"], "");
}

#[test]
fn the_executable_is_the_service_where_none_is_configured() {
    let (outbox, _) = queue();
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    assert!(outbox.push(event("e")));
    let body = QueuedEvents::of(outbox, live).encode().unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert!(
        body["id"].as_str().unwrap().starts_with("instana-"),
        "{body}"
    );
}

#[test]
fn texts_are_short_and_without_secrets() {
    let event = event(&format!(" a\nb {}", "x".repeat(1000)))
        .text(&format!(
            "token=abc\nhttps://u:p@host/ {}é",
            "y".repeat(2 * usize::from(TEXT_LIMIT))
        ))
        .service(&"z".repeat(1000));
    let body = json_of(event);
    let [title, text, id] = ["title", "text", "id"].map(|key| body[key].as_str().unwrap());
    assert!(title.starts_with("a b xxx") && title.len() == 259);
    let start = "token=<redacted>\nhttps://<redacted>:<redacted>@host/ yyy";
    assert!(
        text.starts_with(start) && text.ends_with("yyy..."),
        "{text}"
    );
    assert!(text.len() <= 4_003);
    assert_eq!(id.len(), 259);
    let cut = format!(
        "{} at https://u:{}@h/",
        "x".repeat(240),
        "hunter".repeat(500)
    );
    let body = json_of(crate::pipeline::event::event(&cut).text(&cut.repeat(17)));
    assert!(!body.to_string().contains("hunt"), "{body}");
    assert_eq!(
        json_of(crate::pipeline::event::event(" \n"))["title"],
        "untitled"
    );
}

#[test]
fn the_oldest_goes_when_there_is_no_room() {
    let (outbox, mut events) = queue();
    for number in 0..MAX_WAITING + 10 {
        assert!(outbox.push(event(&number.to_string())));
    }
    let counts = outbox.counts();
    assert_eq!((counts.waiting, counts.dropped_full), (256, 10));
    let body: Value = serde_json::from_slice(&events.encode().unwrap()).unwrap();
    assert_eq!(body["title"], "10");
    // The event on its way is dropped: its answer counts for nobody.
    assert!(outbox.push(event("more")));
    events.acknowledge();
    let counts = outbox.counts();
    assert_eq!((counts.sent, counts.dropped_full), (0, 11));
    events.encode().unwrap();
    events.acknowledge();
    events.reject();
    events.encode().unwrap();
    events.reject();
    let counts = outbox.counts();
    let settled = (counts.sent, counts.dropped_rejected, counts.waiting);
    assert_eq!(settled, (1, 1, 254));
    outbox.clear();
    assert_eq!(outbox.counts().dropped_stopped, 254);
    assert_eq!(outbox.counts().dropped(), 266);
    assert!(!outbox.push(event("closed")));
    assert_eq!(events.encode(), None);
}

#[test]
fn a_flush_waits_for_the_events_before_it() {
    let (outbox, mut events) = queue();
    assert!(!events.pending() && events.is_flushed());
    assert!(outbox.push(event("one")));
    events.begin_flush();
    assert!(outbox.push(event("two")));
    assert!(events.pending() && !events.is_flushed());
    events.encode().unwrap();
    events.acknowledge();
    assert!(events.pending() && events.is_flushed());
    outbox.close();
    assert!(!outbox.push(event("three")));
    assert!(events.pending(), "what waits can be sent");
    outbox.clear();
    assert!(!events.pending());
}

#[test]
fn events_of_a_recorders_scope_are_not_the_processs() {
    assert!(is_of_process());
    Recorder::new().enter(|| assert!(!is_of_process()));
}

#[test]
fn nothing_is_kept_before_the_start_and_of_the_parent_process() {
    let outbox = Outbox::new();
    assert!(!outbox.push(event("early")));
    outbox.open(|| ());
    assert!(outbox.push(event("parents")));
    outbox.hold().after_fork();
    assert_eq!(outbox.counts(), EventCounts::default());
    assert!(outbox.push(event("childs")));
    assert_eq!(outbox.oldest().unwrap().0, 1);
}
