//! Secrets are planted in every place and form, and looked for in every byte that leaves a
//! process: its requests to the agent, its standard output and error with the status and the
//! debug output of what is public, and what the dev agent prints of it all.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets something unexpected ends there"
)]

mod application;
mod forms;
mod tap;

use std::process::{Command, Output};
use std::time::Duration;

use instana_dev_agent::{Config, DevAgent, render};

use crate::application::COUNT;
use crate::forms::{MARK, MARK_IN_BASE64};
use crate::tap::Tap;

/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(60);

/// The variable that makes this program the one that is looked at.
const AGENT: &str = "PLANTED_AGENT";

#[expect(clippy::disallowed_methods, reason = "the program is its own child")]
fn main() {
    if let Ok(agent) = std::env::var(AGENT) {
        return application::run(&agent);
    }
    let agent = DevAgent::start(Config::new().check_sockets(false)).unwrap();
    let notices = agent.subscribe();
    let tap = Tap::start(agent.addr());
    let output = application(&tap);
    let recorded = recorded(&output);
    assert!(recorded >= 200, "only {recorded} forms");
    agent.wait_for_spans(recorded, LONG).unwrap();
    agent.wait_for_events(2, LONG).unwrap();

    let style = render::Style::plain();
    let mut printed: Vec<String> = std::iter::from_fn(|| notices.try_recv().ok())
        .map(|notice| render::notice(&notice, style))
        .collect();
    printed.extend(
        agent
            .traces()
            .iter()
            .map(|trace| render::tree(trace, style)),
    );
    printed.extend(
        agent
            .violations()
            .iter()
            .map(|finding| render::finding(finding, style)),
    );
    printed.extend(
        agent
            .notes()
            .iter()
            .map(|finding| render::finding(finding, style)),
    );

    let sent = tap.bytes();
    assert!(sent.contains("announced"), "the tap hears nothing");
    for (place, text) in [
        ("requests to the agent", sent),
        ("standard output", text_of(&output.stdout)),
        ("standard error", text_of(&output.stderr)),
        ("the dev agent's output", printed.join("\n")),
    ] {
        assert!(text.len() > 20, "{place}: nothing was looked at: {text}");
        assert_clean(place, &text);
    }
    println!("planted: {recorded} spans with secrets in them, none left the process");
}

/// Runs the application until it has told what it had to.
fn application(tap: &Tap) -> Output {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args([
            "--password",
            "HUNTER2",
            "--db=postgres://u:HUNTER2@h/d",
            "token_key=HUNTER2",
            "-p",
            "HUNTER2",
        ])
        .args([
            "{\"secret\":[\"a\",\"HUNTER2\"]}",
            "--url=https://h/?X-Amz-Signature=HUNTER2",
        ])
        .env(AGENT, tap.address())
        .env("APP_PASSWORD", "HUNTER2")
        .env("INSTANA_AGENT_PORT", "u:HUNTER2@h")
        .env("INSTANA_CONFIG_PATH", "/no/file?password=HUNTER2")
        .env("INSTANA_LOG_LEVEL", "debug")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// How many spans the application says it recorded.
fn recorded(output: &Output) -> usize {
    let text = text_of(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix(COUNT));
    line.unwrap_or_else(|| panic!("{text}"))
        .trim()
        .parse()
        .unwrap()
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Shows what stands around the first secrets.
fn assert_clean(place: &str, text: &str) {
    const SHOWN: usize = 20;
    let lower = text.to_lowercase();
    let mut found = Vec::new();
    for (text, mark) in [(lower.as_str(), MARK), (text, MARK_IN_BASE64)] {
        let places = text.match_indices(mark).take(SHOWN);
        found.extend(places.map(|(at, _)| {
            let (before, behind) = text.split_at(at);
            let before: Vec<char> = before.chars().rev().take(150).collect();
            let before = before.into_iter().rev();
            before.chain(behind.chars().take(30)).collect::<String>()
        }));
    }
    assert!(found.is_empty(), "{place}:\n{}", found.join("\n"));
}
