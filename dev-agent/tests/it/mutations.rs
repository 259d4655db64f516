//! Requests with one fault each, and the rule that finds it.

use instana_dev_agent::{Config, DevAgent, Rule};
use serde_json::{Value, json};

use crate::session::{Session, announced, change, each, measured, removed, violated};
use crate::support::{Client, announce, metrics};

#[test]
fn an_unchanged_session_is_clean() {
    for plugin in ["rust", "golang", "nodejs.other"] {
        assert_eq!(violated(plugin, |_| {}), [], "{plugin}");
    }
}

#[test]
fn announces() {
    each(
        "rust",
        vec![
            (
                Rule::AnnounceParentNs,
                "/pidFromParentNS",
                announced("/pidFromParentNS", json!("no")),
            ),
            (Rule::AnnounceName, "/name", announced("/name", json!(""))),
            (
                Rule::AnnounceArgs,
                "/args",
                announced("/args", json!("--port 1")),
            ),
            (Rule::AnnounceFd, "/fd", announced("/fd", removed())),
            (
                Rule::AnnounceInode,
                "/inode",
                announced("/inode", json!("socket:7")),
            ),
            (
                Rule::AnnounceCpuset,
                "/cpuSetFileContent",
                announced("/cpuSetFileContent", json!("x".repeat(3000))),
            ),
            (
                Rule::AnnounceKey,
                "/env",
                announced("/env", json!({"A": "b"})),
            ),
            (Rule::NullMember, "/name", announced("/name", Value::Null)),
            (
                Rule::NumericFd,
                "/fd",
                change(|session| {
                    let fd: u64 = session.announce["fd"].as_str().unwrap().parse().unwrap();
                    session.announce["fd"] = fd.into();
                }),
            ),
            (
                Rule::AnnounceSocket,
                "/fd",
                announced("/fd", json!("1000000")),
            ),
            (
                Rule::AnnounceSocket,
                "/inode",
                announced("/inode", json!("socket:[1]")),
            ),
        ],
    );
}

#[test]
fn announced_pid() {
    for pid in [json!("7"), json!(0), json!(-1)] {
        let agent = DevAgent::start(Config::new()).expect("an agent");
        let mut client = Client::of(&agent);
        client.get("/");
        client.put(
            "/com.instana.plugin.rust.discovery",
            &json!({"pid": pid, "name": "shop"}),
        );
        let found: Vec<_> = agent
            .violations()
            .into_iter()
            .map(|violation| (violation.rule, violation.at))
            .collect();
        assert_eq!(found, [(Rule::AnnouncePid, "/pid".to_owned())], "{pid}");
    }
}

#[test]
fn another_socket_than_the_announce_s() {
    for (plugin, violations) in [("rust", 1), ("golang", 0)] {
        let agent = DevAgent::start(Config::new()).expect("an agent");
        let (mut client, other) = (Client::of(&agent), Client::of(&agent));
        client.get("/");
        client.put(
            &format!("/com.instana.plugin.{plugin}.discovery"),
            &announce(&other),
        );
        let notes = agent.notes();
        let found = if violations == 1 {
            agent.violations()
        } else {
            notes
        };
        let rules: Vec<_> = found.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [Rule::AnnounceOtherSocket], "{plugin}");
        assert_eq!(agent.violations().len(), violations);
    }
}

#[test]
fn order() {
    each(
        "rust",
        vec![
            (
                Rule::OrderLookup,
                "url",
                change(|session| session.lookup = false),
            ),
            (
                Rule::OrderReady,
                "url",
                change(|session| session.ready = false),
            ),
            (
                Rule::OrderTraces,
                "url",
                change(|session| session.metrics.clear()),
            ),
            (
                Rule::SnapshotFirst,
                "/snapshot",
                measured("/snapshot", removed()),
            ),
            (
                Rule::SnapshotAgain,
                "/snapshot",
                change(|session| {
                    let (put, post) = (
                        session.path(".discovery"),
                        session.path(&format!(".{}", session.pid)),
                    );
                    let announce = session.announce.clone();
                    session.then("PUT", put, &announce);
                    session.then("HEAD", post.clone(), &json!({}));
                    let body = metrics(session.pid, false);
                    session.then("POST", post, &body);
                }),
            ),
            (
                Rule::UrlPid,
                "url",
                change(|session| {
                    let path = session.path("/traces.4000000000");
                    session.then("POST", path, &json!([]));
                }),
            ),
            (
                Rule::UrlPlugin,
                "url",
                change(|session| {
                    let path = format!("/com.instana.plugin.golang/traces.{}", session.pid);
                    session.then("POST", path, &json!([]));
                }),
            ),
        ],
    );
}

#[test]
fn http() {
    let traces = |session: &Session| session.path(&format!("/traces.{}", session.pid));
    each(
        "rust",
        vec![
            (
                Rule::Path,
                "url",
                change(|session| {
                    let path = session.path(&format!(".traces.{}x", session.pid));
                    session.then("POST", path, &json!([]));
                }),
            ),
            (
                Rule::Method,
                "method",
                change(move |session| {
                    let path = traces(session);
                    session.then("PUT", path, &json!([]));
                }),
            ),
            (
                Rule::ContentType,
                "content-type",
                change(move |session| {
                    let path = traces(session);
                    session.text("POST", path, Some("text/plain"), "[]".to_owned());
                }),
            ),
            (
                Rule::ContentType,
                "content-type",
                change(move |session| {
                    let path = traces(session);
                    session.text("POST", path, None, "[]".to_owned());
                }),
            ),
            (
                Rule::Json,
                "body",
                change(move |session| {
                    let path = traces(session);
                    session.text("POST", path, Some("application/json"), "[{]".to_owned());
                }),
            ),
            (
                Rule::DuplicateKey,
                "/pid",
                change(|session| {
                    let path = session.path(&format!(".{}", session.pid));
                    let body = metrics(session.pid, false).to_string().replacen(
                        '{',
                        &format!("{{\"pid\":{},", session.pid),
                        1,
                    );
                    session.text("POST", path, Some("application/json"), body);
                }),
            ),
            (
                Rule::BodyShape,
                "",
                change(move |session| {
                    let path = traces(session);
                    session.then("POST", path, &json!({"spans": []}));
                }),
            ),
            (
                Rule::BodySize,
                "body",
                change(move |session| {
                    let path = traces(session);
                    session.text(
                        "POST",
                        path,
                        Some("application/json"),
                        format!("[{}]", " ".repeat(5 * 1024 * 1024)),
                    );
                }),
            ),
        ],
    );
}

#[test]
fn bytes_that_are_no_http() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    client.raw(b"\x16\x03\x01 tls hello\r\n\r\n").expect("sent");
    client.rest();
    let mut client = Client::of(&agent);
    client.raw(b"POST /tracermetrics HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{}").expect("sent");
    drop(client);
    let timeout = std::time::Duration::from_secs(10);
    let both = agent.wait_until("both violations", timeout, |view| {
        let rules: Vec<_> = view
            .violations()
            .iter()
            .map(|violation| violation.rule)
            .collect();
        (rules.len() == 2).then_some(rules)
    });
    assert_eq!(both.unwrap(), [Rule::HttpSyntax, Rule::ContentLength]);
}

#[test]
fn habits_are_notes_for_other_plugins() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    let mut session = Session::new("ruby", &client);
    session.spans[0]["data"]["http"]["error"] = Value::Null;
    session.spans[0]["f"]["e"] = session.pid.into();
    session.spans[1]["data"]["pg"]["port"] = 5432.into();
    session.spans[1]["data"]["pg"]["dialect"] = "x".into();
    session.spans[3]["n"] = "ruby.thing".into();
    session.send(&mut client);
    agent.assert_clean();
    let rules: Vec<_> = agent.notes().iter().map(|note| note.rule).collect();
    assert_eq!(
        rules,
        [
            Rule::NullMember,
            Rule::NumericEntity,
            Rule::SectionKey,
            Rule::PortType,
            Rule::UnknownSpanName
        ]
    );
}
