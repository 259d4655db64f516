//! Agents that answer, and answer wrongly.

use instana_dev_agent::doctor::Code;
use instana_dev_agent::{AnnounceAnswer, Config, Fault, Matcher, RequestKind, What};

use super::server::{Act, Asked, Server, announced};
use super::{agent, assert_found, of_agent, of_server};

fn found(fault: impl Fn(&Asked) -> Option<Act> + Send + Sync + 'static) -> Vec<Code> {
    of_server(&Server::but(fault)).codes()
}

/// Announces of this plugin.
fn is_announce(asked: &Asked, plugin: &str) -> bool {
    asked.method == "PUT" && asked.path == format!("/com.instana.plugin.{plugin}.discovery")
}

fn to_announce(answer: &'static str) -> Vec<Code> {
    found(move |asked| is_announce(asked, "rust").then(|| Act::answer(200, "", answer)))
}

#[test]
fn the_plugin_is_unknown() {
    let codes = found(|asked| {
        let rust = || Some(Act::status(404));
        let go = || Some(Act::answer(200, "", &announced("")));
        if is_announce(asked, "rust") {
            rust()
        } else if is_announce(asked, "golang") {
            go()
        } else {
            None
        }
    });
    assert_eq!(codes, [Code::PluginUnknown]);
}

#[test]
fn the_process_is_not_found() {
    let codes = found(|asked| (asked.method == "PUT").then(|| Act::status(404)));
    assert_eq!(codes, [Code::ProcessNotFound]);
}

#[test]
fn the_announce_is_refused() {
    let codes = found(|asked| (asked.path != "/").then(|| Act::status(404)));
    assert_eq!(codes, [Code::AnnounceRefused]);
    for status in [400, 401, 405, 500, 503] {
        let codes = found(move |asked| is_announce(asked, "rust").then(|| Act::status(status)));
        assert_eq!(codes, [Code::AnnounceRefused], "{status}");
    }
}

#[test]
fn the_announce_gets_no_answer() {
    let codes = found(|asked| (asked.method == "PUT").then_some(Act::Close));
    assert_eq!(codes, [Code::Closed]);
    let agent = agent(Config::new());
    agent.fault(Fault::new(
        Matcher::kind(RequestKind::Announce),
        What::Truncated,
    ));
    assert_found(&of_agent(&agent), &[Code::BrokenAnswer]);
}

#[test]
fn the_answer_is_garbage() {
    for garbage in ["", "OK", "[]", "<html>", r#"{"pid":17"#, "null"] {
        assert_eq!(to_announce(garbage), [Code::AnnounceGarbage], "{garbage}");
    }
}

#[test]
fn the_answer_has_no_pid() {
    for answer in [
        r#"{"agentUuid":"u"}"#,
        r#"{"pid":0,"agentUuid":"u"}"#,
        r#"{"pid":"seven","agentUuid":"u"}"#,
        r#"{"pid":-1,"agentUuid":"u"}"#,
    ] {
        assert_eq!(to_announce(answer), [Code::AnnounceNoPid], "{answer}");
    }
}

#[test]
fn the_answer_has_no_uuid() {
    for answer in [r#"{"pid":1}"#, r#"{"pid":1,"agentUuid":""}"#] {
        assert_eq!(to_announce(answer), [Code::AnnounceNoUuid], "{answer}");
    }
}

#[test]
fn the_answered_pid_is_of_another_process() {
    let answer = AnnounceAnswer::new().pid_offset(100_000);
    let agent = agent(Config::new().announce_answer(answer));
    assert_found(&of_agent(&agent), &[Code::AnnounceOtherPid]);
}

#[test]
fn the_answer_has_no_secrets() {
    for answer in [
        AnnounceAnswer::new().member("secrets", serde_json::Value::Null),
        AnnounceAnswer::new().secrets("like", ["key"]),
        AnnounceAnswer::new().secrets("equals", [""; 0]),
    ] {
        let agent = agent(Config::new().announce_answer(answer));
        assert_found(&of_agent(&agent), &[Code::AnnounceSecrets]);
    }
    let none = AnnounceAnswer::new().secrets("none", [""; 0]);
    assert_found(&of_agent(&agent(Config::new().announce_answer(none))), &[]);
}

#[test]
fn the_agent_does_not_get_ready() {
    let never = agent(Config::new().reject_ready(u32::MAX));
    assert_found(&of_agent(&never), &[Code::NotReady]);
    let codes = found(|asked| (asked.method == "HEAD").then(|| Act::status(500)));
    assert_eq!(codes, [Code::NotReady]);
}

#[test]
fn spans_are_refused() {
    for (status, code) in [
        (400, Code::SpansRefused),
        (500, Code::SpansRefused),
        (404, Code::SpansUnknownPid),
        (413, Code::SpansTooLarge),
    ] {
        let agent = agent(Config::new());
        let spans = Matcher::kind(RequestKind::Traces);
        agent.fault(Fault::new(spans, What::Status(status)));
        assert_found(&of_agent(&agent), &[code]);
    }
}

#[test]
fn large_bodies_are_refused() {
    let large = |asked: &Asked| asked.body.len() > 1 << 20;
    let codes = found(move |asked| large(asked).then(|| Act::status(413)));
    assert_eq!(codes, [Code::SpansTooLarge]);
    let codes = found(move |asked| large(asked).then_some(Act::Close));
    assert_eq!(codes, [Code::SpansTooLarge]);
}
