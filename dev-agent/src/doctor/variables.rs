//! What is known of each environment variable (docs/ENVIRONMENT.md).

use std::net::{Ipv4Addr, Ipv6Addr};

use self::Kind::{AnyText, File, Flag, Hidden, Host, Millis, OneOf, Plugin, Port, Secrets, Text};

/// What a variable's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text switches it on.
    AnyText,
    File,
    Flag,
    /// Any text, which is not shown.
    Hidden,
    Host,
    /// 1 to 600000.
    Millis,
    OneOf(&'static [&'static str]),
    Plugin,
    Port,
    Secrets,
    Text,
}

pub(super) const VARIABLES: &[(&str, Kind)] = &[
    ("INSTANA_AGENT_HOST", Host),
    ("INSTANA_AGENT_KEY", Hidden),
    ("INSTANA_AGENT_PORT", Port),
    ("INSTANA_AGENT_REQUEST_TIMEOUT", Millis),
    ("INSTANA_ALLOW_EXIT_AS_ROOT", Flag),
    ("INSTANA_ALLOW_ROOT_EXIT_SPAN", Flag),
    ("INSTANA_AUTO_PROFILE", Text),
    ("INSTANA_AUTOPROFILE", Text),
    ("INSTANA_CONFIG_PATH", File),
    ("INSTANA_DEBUG", AnyText),
    ("INSTANA_DISABLE", Text),
    ("INSTANA_DISABLE_CA_CHECK", Text),
    ("INSTANA_DISABLE_METRICS_COLLECTION", AnyText),
    ("INSTANA_DISABLE_W3C_TRACE_CORRELATION", AnyText),
    ("INSTANA_ENDPOINT_PROXY", Hidden),
    ("INSTANA_ENDPOINT_URL", Text),
    ("INSTANA_EXTRA_HTTP_HEADERS", Text),
    ("INSTANA_FORCE_TRANSMISSION_STARTING_AT", Text),
    ("INSTANA_GLIBC_HEAP", Flag),
    ("INSTANA_IGNORE_ENDPOINTS", Text),
    ("INSTANA_IGNORE_ENDPOINTS_DISABLE_SUPPRESSION", Flag),
    ("INSTANA_IGNORE_ENDPOINTS_PATH", File),
    (
        "INSTANA_KAFKA_HEADER_FORMAT",
        OneOf(&["string", "binary", "both"]),
    ),
    ("INSTANA_KAFKA_TRACE_CORRELATION", Flag),
    (
        "INSTANA_LOG_LEVEL",
        OneOf(&["error", "warn", "warning", "info", "debug"]),
    ),
    ("INSTANA_METRICS_TRANSMISSION_DELAY", Text),
    ("INSTANA_PLUGIN_NAME", Plugin),
    ("INSTANA_POLL_TIMING", Flag),
    ("INSTANA_PROCESS_NAME", Text),
    ("INSTANA_RETRY_AGENT_CONNECTION_IN_MS", Text),
    ("INSTANA_SECRETS", Secrets),
    ("INSTANA_SERVICE_NAME", Text),
    ("INSTANA_SLOW_POLL", Millis),
    ("INSTANA_SPANBATCHING_ENABLED", Flag),
    ("INSTANA_STACK_TRACE", OneOf(&["all", "error", "none"])),
    ("INSTANA_STACK_TRACE_LENGTH", Text),
    ("INSTANA_TAGS", Text),
    ("INSTANA_TIMEOUT", Text),
    (
        "INSTANA_TRACING_CAPTURE_LOG_LEVEL",
        OneOf(&[
            "trace", "debug", "info", "warn", "warning", "error", "fatal", "off",
        ]),
    ),
    ("INSTANA_TRACING_DISABLE", Text),
    ("INSTANA_TRACING_DISABLE_GROUPS", Text),
    ("INSTANA_TRACING_DISABLE_INSTRUMENTATIONS", Text),
    ("INSTANA_TRACING_DISABLE_W3C", AnyText),
    ("INSTANA_TRACING_DISABLE_W3C_CORRELATION", AnyText),
    ("INSTANA_TRACING_DISABLE_W3C_PROPAGATION", AnyText),
    ("INSTANA_TRACING_HTTP_EXIT_CLASSIFY_ALL_4XX_AS_ERRORS", Flag),
    ("INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS", Text),
    ("INSTANA_TRACING_TRANSMISSION_DELAY", Text),
    ("INSTANA_ZONE", Text),
];

/// The start of names that users complete.
pub(super) const OPEN: &str = "INSTANA_TRACING_FILTER_";

/// Names of the same setting, the newer first.
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "INSTANA_ALLOW_EXIT_AS_ROOT"),
    (
        "INSTANA_TRACING_DISABLE_W3C_CORRELATION",
        "INSTANA_DISABLE_W3C_TRACE_CORRELATION",
    ),
];

pub(super) const MATCHERS: &[&str] = &[
    "equals",
    "equals-ignore-case",
    "contains",
    "contains-ignore-case",
    "regex",
    "none",
];

/// The kind of a variable; `None` for one that is not known.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let found = VARIABLES.iter().find(|(known, _)| *known == name);
    let open = || name.starts_with(OPEN).then_some(Text);
    found.map(|(_, kind)| *kind).or_else(open)
}

/// The known name that this unknown one is nearly.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let near = VARIABLES
        .iter()
        .map(|(known, _)| (distance(&upper, known), *known));
    near.filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, known)| known)
}

/// Whether the tracer can use the value. It is not empty.
pub(super) fn fits(kind: Kind, value: &str) -> bool {
    let value = value.trim();
    match kind {
        AnyText | File | Hidden | Text => true,
        Flag => ["true", "1", "false", "0"].contains(&value.to_ascii_lowercase().as_str()),
        Host => host(value).is_some(),
        Millis => matches!(value.parse::<u64>(), Ok(1..=600_000)),
        OneOf(values) => values.contains(&value.to_ascii_lowercase().as_str()),
        Plugin => is_plugin(value),
        Port => matches!(value.parse::<u16>(), Ok(1..)),
        Secrets => secrets(value),
    }
}

/// A host name or an IP address; the result is without brackets.
pub(super) fn host(value: &str) -> Option<String> {
    let value = value.trim();
    let bare = value.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
    if bare.is_some() || value.contains(':') {
        let bare = bare.unwrap_or(value);
        let (address, _zone) = bare.split_once('%').unwrap_or((bare, ""));
        return address.parse::<Ipv6Addr>().is_ok().then(|| bare.to_owned());
    }
    if value.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return value.parse::<Ipv4Addr>().is_ok().then(|| value.to_owned());
    }
    let name = value.strip_suffix('.').unwrap_or(value);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    (name.len() <= 253 && name.split('.').all(label)).then(|| value.to_owned())
}

pub(super) fn is_plugin(value: &str) -> bool {
    let sound = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    (1..=64).contains(&value.len()) && value.bytes().all(sound)
}

fn secrets(value: &str) -> bool {
    let (matcher, terms) = value.split_once(':').unwrap_or((value, ""));
    let matcher = matcher.trim().to_ascii_lowercase();
    let terms = terms.split(',').any(|term| !term.trim().is_empty());
    MATCHERS.contains(&matcher.as_str()) && (terms || matcher == "none")
}

/// How many characters have to be changed, added or removed.
fn distance(from: &str, to: &str) -> usize {
    if from.len().abs_diff(to.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, a) in from.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (b, above) in to.bytes().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(a != b))
                .min(left + 1)
                .min(*above + 1);
            diagonal = std::mem::replace(above, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_variable_is_known() {
        let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ENVIRONMENT.md");
        let text = std::fs::read_to_string(documented).unwrap();
        let names: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("| `INSTANA_")?.split('`').next())
            .map(|rest| format!("INSTANA_{rest}"))
            .collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert!(kind(&name).is_some(), "{name}");
        }
    }

    #[test]
    fn values() {
        for (kind, good, bad) in [
            (
                Host,
                &["10.0.0.1", "agent", "[::1]", "fe80::1%eth0", "a.b."][..],
                &["http://h", "h:42699", "1.2.3", "a b", ".a", ""][..],
            ),
            (Port, &["1", " 42699 "], &["0", "65536", "x", "-1"]),
            (Millis, &["1", "600000"], &["0", "5s", "600001"]),
            (Plugin, &["rust", "a.b-c_1"], &["Rust", "a/b", ""]),
            (Flag, &["TRUE", "0"], &["yes"]),
            (
                Secrets,
                &["equals:a", "none", "REGEX:a,b"],
                &["like:a", "equals", "equals:,"],
            ),
            (OneOf(&["all", "none"]), &["ALL"], &["some"]),
        ] {
            for value in good {
                assert!(fits(kind, value), "{kind:?} {value}");
            }
            for value in bad {
                assert!(!fits(kind, value), "{kind:?} {value}");
            }
        }
    }

    #[test]
    fn misspelt_names() {
        for (name, expected) in [
            ("INSTANA_AGENTHOST", Some("INSTANA_AGENT_HOST")),
            ("instana_agent_port", Some("INSTANA_AGENT_PORT")),
            ("INSTANA_SERVICENAME", Some("INSTANA_SERVICE_NAME")),
            ("INSTANA_SECRET", Some("INSTANA_SECRETS")),
            ("INSTANA_DEV_BATCH_THRESHOLD", None),
            ("INSTANA_X", None),
        ] {
            assert_eq!(meant(name), expected, "{name}");
        }
    }
}
