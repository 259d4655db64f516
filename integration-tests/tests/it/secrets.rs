//! What the agent and the environment say is secret.

use std::time::Duration;

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent};
use serde_json::{Value, json};

use crate::app::App;

/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(30);

/// What the application recorded, in the order of the values: `hidden-1` to
/// `hidden-8` behind these keys.
const KEYS: [&str; 8] = [
    "token",
    "credential",
    "Token",
    "mytoken",
    "password",
    "user information",
    "token",
    "TOKEN",
];

/// Records without an agent, lets that come, and returns which of the values
/// are in its spans.
fn shown(answer: AnnounceAnswer, environment: &[(&str, &str)]) -> Vec<usize> {
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    agent.stop();
    let mut app = App::for_agent(&agent, &[], environment);
    assert_eq!(app.ask("secrets"), "done");
    assert_eq!(app.ask("entries 100"), "done");
    assert_eq!(app.counts(), [201, 0, 201, 0]);
    agent.restart().unwrap();
    let spans = agent.wait_for_spans(201, LONG).unwrap();
    // An agent cannot know that its secrets do not count.
    if environment.is_empty() {
        agent.assert_clean();
    }
    let span = spans
        .iter()
        .find(|span| span.pointer("/data/http/params").is_some());
    let text = span.unwrap().to_string();
    assert!(text.contains("plain=shown"), "{text}");
    (1..=KEYS.len())
        .filter(|number| text.contains(&format!("hidden-{number}")))
        .collect()
}

#[test]
fn spans_recorded_before_the_announce_are_redacted_with_each_of_the_agents_matchers() {
    // Passwords and user information, 5 and 6, never show.
    for (matcher, list, expected) in [
        ("equals", &["token", "credential"][..], &[3, 4, 8][..]),
        ("equals-ignore-case", &["TOKEN"], &[2, 4]),
        ("contains", &["oken"], &[2, 8]),
        ("contains-ignore-case", &["token", "CRED"], &[]),
        ("regex", &["[Tt]oken", "cred"], &[2, 4, 8]),
        ("none", &[], &[1, 2, 3, 4, 7, 8]),
    ] {
        let answer = AnnounceAnswer::new().secrets(matcher, list.iter().copied());
        assert_eq!(
            shown(answer, &[]),
            expected,
            "{matcher} {list:?} of {KEYS:?}"
        );
    }
}

#[test]
fn the_environment_wins_over_the_agent() {
    let answer = AnnounceAnswer::new().secrets("contains-ignore-case", ["token"]);
    let environment = [("INSTANA_SECRETS", "equals:credential")];
    assert_eq!(shown(answer, &environment), [1, 3, 4, 7, 8]);
}

#[test]
fn arguments_are_announced_without_what_is_secret_at_that_time() {
    let answer = AnnounceAnswer::new().secrets("equals", ["token"]);
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    let arguments = [
        "--token",
        "t1",
        "--password=p1",
        "secret=s1",
        "http://u:p2@h/?token=t2",
    ];
    let app = App::for_agent(&agent, &arguments, &[]);
    let announced = |wanted: u32| -> Value {
        let what = format!("announce {wanted}");
        let process = agent.wait_until(&what, LONG, |view| {
            let process = view.process(app.pid())?;
            (process.announces() >= wanted).then(|| process.announce().clone())
        });
        process.unwrap()["args"].clone()
    };
    // By the default of the tracer: the agent has said nothing yet.
    let first = json!([
        "--token",
        "t1",
        "--password=<redacted>",
        "secret=<redacted>",
        "http://<redacted>:<redacted>@h/?token=t2",
    ]);
    assert_eq!(announced(1), first);
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    agent.forget();
    // By the agent's matcher.
    let second = json!([
        "--token",
        "<redacted>",
        "--password=<redacted>",
        "secret=s1",
        "http://<redacted>:<redacted>@h/?token=<redacted>",
    ]);
    assert_eq!(announced(2), second);
}
