//! Settings that were not understood.

use crate::base::text::printable;
use crate::secrets;
use crate::secrets::Matcher;

/// Bytes of a value that a message shows.
const SHOWN: usize = 64;

/// Bytes of a name that a message shows: names in a file or in the agent's answer are as
/// long as others make them.
const MAX_NAME: usize = 256;

/// The most problems that are kept.
const MOST: usize = 32;

/// A value that cannot be used, for one log line. It never stops the tracer:
/// the next source is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Problem {
    /// What is wrong.
    text: String,
    using: Using,
}

/// What is in force instead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Using {
    /// What the next source says about this key.
    Key(&'static str),
    /// The rest of the value, in words.
    Rest(&'static str),
}

/// What was wrong, and how many more there were than are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    list: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// The value of `name`, a variable or a key, is not what is accepted there.
    pub(crate) fn value(&mut self, name: &str, value: &str, accepted: &str, using: Using) {
        let value = safe(name, value, SHOWN);
        let name = printable(name, MAX_NAME);
        self.add(format!("{name}={value:?} is not {accepted}"), using);
    }

    /// Something else is wrong.
    pub(crate) fn add(&mut self, text: String, using: Using) {
        if self.list.len() < MOST {
            self.list.push(Problem { text, using });
        } else {
            self.more += 1;
        }
    }

    /// One line each. `show` tells what is in force of a key.
    pub(crate) fn lines(&self, show: impl Fn(&str) -> String) -> Vec<String> {
        let mut lines: Vec<String> = self
            .list
            .iter()
            .map(|problem| {
                let using = match problem.using {
                    Using::Key(key) => safe(key, &show(key), SHOWN),
                    Using::Rest(rest) => rest.to_owned(),
                };
                format!("{}; using {using}", problem.text)
            })
            .collect();
        if self.more > 0 {
            lines.push(format!("{} more settings could not be used", self.more));
        }
        lines
    }
}

/// A value that can be shown: without credentials, on one line and cut. Of what
/// is called a key, a token or a password, nothing is shown.
pub(crate) fn safe(name: &str, value: &str, limit: usize) -> String {
    if is_secret(name) {
        return "<redacted>".to_owned();
    }
    let mut safe = String::new();
    secrets::text(&Matcher::default(), value, &mut safe);
    printable(&safe, limit)
}

fn is_secret(name: &str) -> bool {
    let last = name.rsplit(['_', '.']).next().unwrap_or_default();
    ["key", "token", "password", "secret"]
        .iter()
        .any(|word| last.eq_ignore_ascii_case(word))
        && name.contains(['_', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, value: &str) -> String {
        let mut problems = Problems::default();
        problems.value(name, value, "a host", Using::Key("agent_host"));
        problems.lines(|_| "127.0.0.1".to_owned()).remove(0)
    }

    #[test]
    fn values_are_shown_without_credentials_and_control_characters() {
        let text = line(
            "INSTANA_X",
            &format!("http://u:hunter2@h\n{}", "x".repeat(99)),
        );
        assert!(text.starts_with(r#"INSTANA_X="http://<redacted>:<redacted>@h xxx"#));
        assert!(text.ends_with("x...\" is not a host; using 127.0.0.1"));
        assert!(!text.contains("hunter2"));
    }

    #[test]
    fn values_of_secret_names_are_not_shown_at_all() {
        for (name, shown) in [
            ("INSTANA_AGENT_KEY", false),
            ("INSTANA_DOWNLOAD_TOKEN", false),
            ("proxy_password", false),
            ("INSTANA_SECRETS", true),
            ("INSTANA_AGENT_HOST", true),
        ] {
            assert_eq!(line(name, "hunter2").contains("hunter2"), shown, "{name}");
        }
    }

    #[test]
    fn long_names_are_shortened() {
        let text = line(&format!("tracing.{}", "x".repeat(1 << 20)), "hunter2");
        assert!(
            text.len() < 500 && text.starts_with("tracing.xxx"),
            "{text}"
        );
    }

    #[test]
    fn problems_are_bounded() {
        let mut problems = Problems::default();
        for number in 0..100 {
            problems.add(format!("problem {number}"), Using::Rest("the others"));
        }
        let lines = problems.lines(|_| String::new());
        assert_eq!(lines.len(), MOST + 1);
        assert_eq!(lines[0], "problem 0; using the others");
        assert_eq!(lines[MOST], "68 more settings could not be used");
    }
}
