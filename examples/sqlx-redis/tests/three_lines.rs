//! What tracing takes, and what comes of it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that meets something unexpected ends there"
)]

use std::process::Command;

const PLAIN: &str = include_str!("../src/plain.rs");
const TRACED: &str = include_str!("../src/traced.rs");
const README: &str = include_str!("../README.md");

/// The lines of both that are in one only, as `diff` marks them: what stays in its
/// order is as long as can be.
fn diff(before: &str, after: &str) -> Vec<String> {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let mut common = vec![vec![0_usize; after.len() + 1]; before.len() + 1];
    for (b, line) in before.iter().enumerate().rev() {
        for (a, other) in after.iter().enumerate().rev() {
            common[b][a] = if line == other {
                common[b + 1][a + 1] + 1
            } else {
                common[b + 1][a].max(common[b][a + 1])
            };
        }
    }
    let (mut b, mut a) = (0, 0);
    let mut changes = Vec::new();
    while b < before.len() || a < after.len() {
        if b < before.len() && a < after.len() && before[b] == after[a] {
            (b, a) = (b + 1, a + 1);
        } else if a == after.len() || (b < before.len() && common[b + 1][a] >= common[b][a + 1]) {
            changes.push(format!("-{}", before[b]));
            b += 1;
        } else {
            changes.push(format!("+{}", after[a]));
            a += 1;
        }
    }
    changes
}

#[test]
fn tracing_takes_the_three_lines_that_the_readme_shows() {
    let changes = diff(PLAIN, TRACED);
    let added = changes.iter().filter(|line| line.starts_with('+'));
    assert_eq!(added.count(), 3, "{changes:#?}");
    let shown = README.split("```diff\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap();
    let shown: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with(['+', '-']))
        .collect();
    assert_eq!(changes, shown);
}

#[test]
fn what_changes_is_found() {
    assert_eq!(diff("a\nb\nc", "a\nc"), ["-b"]);
    assert_eq!(diff("a\nc", "a\nB\nc\nd"), ["+B", "+d"]);
    assert_eq!(diff("a\nb", "a\nb"), Vec::<String>::new());
}

/// What the example prints.
fn run(arguments: &[&str], redis: Option<&str>) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sqlx-redis"));
    command
        .args(arguments)
        // Nothing listens there.
        .env("INSTANA_AGENT_HOST", "127.0.0.1")
        .env("INSTANA_AGENT_PORT", "1")
        .env_remove("REDIS_URL")
        .envs(redis.map(|url| ("REDIS_URL", url)));
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// That of `REDIS_URL`, which `cargo xtask test` sets.
fn redis() -> String {
    std::env::var("REDIS_URL").unwrap_or_else(|_| {
        panic!("REDIS_URL is not set: eval \"$(cargo xtask services up redis)\"")
    })
}

/// How many exits there are whose labels begin so.
fn exits(text: &str, label: &str) -> usize {
    text.matches(&format!("exit  {label} ")).count()
}

#[test]
fn without_servers_the_traces_have_the_statements() {
    let text = run(&[], None);
    assert_eq!(text.matches("● ").count(), 6, "{text}");
    assert_eq!(exits(&text, "SELECT stock"), 4, "{text}");
    for label in ["BEGIN", "COMMIT", "ROLLBACK"] {
        let times = if label == "BEGIN" { 2 } else { 1 };
        assert_eq!(exits(&text, label), times, "{label} in {text}");
    }
    assert!(!text.contains("redis 127.0.0.1"), "{text}");
    assert!(text.contains("REDIS_URL is not set"), "{text}");
}

#[test]
fn with_redis_the_traces_have_its_commands_too() {
    let text = run(&[], Some(&redis()));
    assert_eq!(
        exits(&text, "SELECT stock"),
        3,
        "the second answer is kept: {text}"
    );
    for (label, times) in [("get", 4), ("setex", 2), ("3 × pipeline", 1)] {
        assert_eq!(exits(&text, label), times, "{label} in {text}");
    }
    assert!(!text.contains("REDIS_URL is not set"), "{text}");
}

#[test]
fn the_program_says_the_same_with_and_without_tracing_or_an_agent() {
    let url = redis();
    for redis in [None, Some(url.as_str())] {
        let plain = run(&["plain"], redis);
        assert_eq!(plain.lines().count(), 6, "{plain}");
        assert_eq!(run(&["traced"], redis), plain);
        assert!(run(&[], redis).starts_with(&plain));
    }
}

#[test]
fn a_wrong_word_is_explained() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sqlx-redis"));
    let output = command.arg("palin").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("sqlx-redis plain"), "{text}");
}
