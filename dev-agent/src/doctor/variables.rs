//! The names of environment variables (docs/ENVIRONMENT.md).

use super::value::Kind::{
    self, AnyText, Attributes, Disabling, Endpoints, File, Flag, Headers, Host, Number, OneOf,
    Plugin, Port, Secrets, Statuses, Text, Unread,
};

/// The placeholder for users' text in the name of a variable.
const NAME: &str = "<NAME>";
const FILTER: &str = "INSTANA_TRACING_FILTER_";
pub(super) const EXCLUDE: &str = "INSTANA_TRACING_FILTER_EXCLUDE_<NAME>_ATTRIBUTES";
pub(super) const SUPPRESSION: &str = "INSTANA_TRACING_FILTER_EXCLUDE_<NAME>_SUPPRESSION";
const INCLUDE: &str = "INSTANA_TRACING_FILTER_INCLUDE_<NAME>_ATTRIBUTES";

pub(super) const VARIABLES: &[(&str, Kind)] = &[
    ("INSTANA_AGENT_HOST", Host),
    ("INSTANA_AGENT_PORT", Port),
    (
        "INSTANA_AGENT_REQUEST_TIMEOUT",
        Number("milliseconds", 1, 600_000),
    ),
    ("INSTANA_ALLOW_EXIT_AS_ROOT", Flag),
    ("INSTANA_ALLOW_ROOT_EXIT_SPAN", Flag),
    ("INSTANA_CANCELLED_EXITS_AS_ERRORS", Flag),
    ("INSTANA_CONFIG_PATH", File),
    ("INSTANA_DEBUG", AnyText),
    ("INSTANA_DISABLE_METRICS_COLLECTION", AnyText),
    ("INSTANA_DISABLE_W3C_TRACE_CORRELATION", AnyText),
    ("INSTANA_EXTRA_HTTP_HEADERS", Headers),
    (
        "INSTANA_FORCE_TRANSMISSION_STARTING_AT",
        Number("spans", 1, 1_000_000),
    ),
    ("INSTANA_GLIBC_HEAP", Flag),
    ("INSTANA_HIDE_SIGNED_URLS", Flag),
    ("INSTANA_IGNORE_ENDPOINTS", Endpoints),
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
    (
        "INSTANA_METRICS_TRANSMISSION_DELAY",
        Number("milliseconds", 1000, 5000),
    ),
    ("INSTANA_PLUGIN_NAME", Plugin),
    ("INSTANA_POLL_TIMING", Flag),
    ("INSTANA_PROCESS_NAME", Text),
    (
        "INSTANA_RETRY_AGENT_CONNECTION_IN_MS",
        Number("milliseconds", 100, 600_000),
    ),
    ("INSTANA_SECRETS", Secrets),
    ("INSTANA_SERVICE_NAME", Text),
    ("INSTANA_SLOW_POLL", Number("milliseconds", 1, 600_000)),
    ("INSTANA_SPANBATCHING_ENABLED", Flag),
    ("INSTANA_STACK_TRACE", OneOf(&["all", "error", "none"])),
    ("INSTANA_STACK_TRACE_LENGTH", Number("frames", 0, 500)),
    (
        "INSTANA_TRACING_CAPTURE_LOG_LEVEL",
        OneOf(&[
            "trace", "debug", "info", "warn", "warning", "error", "fatal", "off",
        ]),
    ),
    ("INSTANA_TRACING_DISABLE", Disabling),
    ("INSTANA_TRACING_DISABLE_GROUPS", Disabling),
    ("INSTANA_TRACING_DISABLE_INSTRUMENTATIONS", Disabling),
    ("INSTANA_TRACING_DISABLE_W3C", AnyText),
    ("INSTANA_TRACING_DISABLE_W3C_CORRELATION", AnyText),
    ("INSTANA_TRACING_DISABLE_W3C_PROPAGATION", AnyText),
    (EXCLUDE, Attributes),
    (SUPPRESSION, Flag),
    (INCLUDE, Attributes),
    ("INSTANA_TRACING_HTTP_EXIT_CLASSIFY_ALL_4XX_AS_ERRORS", Flag),
    ("INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS", Statuses),
    (
        "INSTANA_TRACING_TRANSMISSION_DELAY",
        Number("milliseconds", 10, 60_000),
    ),
];

/// Names of the same setting, the newer first.
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "INSTANA_ALLOW_EXIT_AS_ROOT"),
    (
        "INSTANA_TRACING_DISABLE_W3C_CORRELATION",
        "INSTANA_DISABLE_W3C_TRACE_CORRELATION",
    ),
];

/// Variables that together say what is not recorded. The last one with a flag decides
/// whether everything is off.
pub(super) const DISABLING: &[&str] = &[
    "INSTANA_TRACING_DISABLE",
    "INSTANA_TRACING_DISABLE_INSTRUMENTATIONS",
    "INSTANA_TRACING_DISABLE_GROUPS",
];

/// Variables of other Instana tracers, and why this one does not read them.
pub(super) const UNREAD: &[(&[&str], &str)] = &[
    (
        &["INSTANA_DISABLE_AUTO_INSTR"],
        "nothing is instrumented by itself; INSTANA_TRACING_DISABLE switches spans off",
    ),
    (
        &["INSTANA_DISABLE"],
        "do not call `init`, or set INSTANA_TRACING_DISABLE",
    ),
    (
        &["INSTANA_AUTO_PROFILE", "INSTANA_AUTOPROFILE"],
        "there are no profiles yet",
    ),
    (
        &[
            "INSTANA_ENDPOINT_URL",
            "INSTANA_AGENT_KEY",
            "INSTANA_TIMEOUT",
            "INSTANA_ENDPOINT_PROXY",
            "INSTANA_DISABLE_CA_CHECK",
            "INSTANA_ZONE",
            "INSTANA_TAGS",
            "INSTANA_DEV_SEND_UNENCRYPTED",
            "INSTANA_TRACER_ENVIRONMENT",
        ],
        "of serverless platforms, where it does not report yet; it needs a host agent",
    ),
    (
        &["INSTANA_TRACE_IMMEDIATELY"],
        "spans are recorded from `init` on anyway",
    ),
    (
        &["INSTANA_TRACING_INITIAL_TRANSMISSION_DELAY"],
        "spans are sent as soon as the agent accepts them",
    ),
    (
        &["INSTANA_FULL_METRICS_INTERNAL_IN_S"],
        "every request has all metrics",
    ),
    (
        &[
            "INSTANA_TRACER_METRICS_INTERVAL",
            "INSTANA_FIRE_MONITORING_EVENT_DURATION_IN_MS",
            "INSTANA_TRACING_DISABLE_EOL_EVENTS",
        ],
        "what they control is not sent",
    ),
    (
        &[
            "INSTANA_TRACING_OTLP_ENABLED",
            "INSTANA_DISABLE_USE_OPENTELEMETRY",
        ],
        "spans are sent in Instana's own form",
    ),
    (
        &["INSTANA_DEV_BATCH_THRESHOLD"],
        "for tests of the Node.js tracer",
    ),
    (
        &[
            "INSTANA_DISABLE_WORKER_THREADS",
            "INSTANA_DISABLE_COLLECTOR_INIT_EVENT",
            "INSTANA_IMMEDIATE_INIT",
            "INSTANA_EARLY_INSTRUMENTATION",
            "INSTANA_PACKAGE_JSON_PATH",
            "INSTANA_CUSTOM_INSTRUMENTATIONS",
            "INSTANA_FORCE_LEGACY_CLS",
            "INSTANA_IS_BULL_CHILD_PROCESS",
            "INSTANA_COPY_PRECOMPILED_NATIVE_ADDONS",
        ],
        "of Node.js",
    ),
    (
        &[
            "INSTANA_DISABLE_PYTHON_PACKAGE_COLLECTION",
            "INSTANA_ASYNCIO_TASK_CONTEXT_PROPAGATION",
            "INSTANA_GEVENT_MONKEY_OPTIONS",
            "AUTOWRAPT_BOOTSTRAP",
        ],
        "of Python",
    ),
];

/// The kind of a variable; `None` for one that is not known.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let is = |known: &str| known == name || between(name, known).is_some();
    let read = VARIABLES.iter().find(|(known, _)| is(known));
    let unread = || UNREAD.iter().any(|(names, _)| names.contains(&name));
    read.map(|(_, kind)| *kind)
        .or_else(|| unread().then_some(Unread))
}

/// The text of a name in place of the `<NAME>` of a known one.
pub(super) fn between<'a>(name: &'a str, known: &str) -> Option<&'a str> {
    let (front, back) = known.split_once(NAME)?;
    let between = name.strip_prefix(front)?.strip_suffix(back)?;
    (!between.is_empty()).then_some(between)
}

/// The known name that is closest to this unknown one.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    if upper.starts_with(FILTER) {
        let (include, _) = INCLUDE.split_once(NAME)?;
        let included = upper.starts_with(include);
        return Some(if included { INCLUDE } else { EXCLUDE });
    }
    let near = VARIABLES
        .iter()
        .map(|(known, _)| (distance(&upper, known), *known));
    near.filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, known)| known)
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::repository::page;

    /// Each variable of the page, with its type.
    fn documented(page: &str) -> Vec<(&str, &str)> {
        let rows = page.lines().filter(|line| line.starts_with("| `INSTANA_"));
        rows.filter_map(|row| {
            let mut cells = row.split(" | ");
            let name = cells.next()?.trim_matches(['|', ' ', '`']);
            Some((name, cells.next()?))
        })
        .collect()
    }

    /// The type as the page puts it.
    fn words(kind: Kind) -> String {
        let words = match kind {
            AnyText => "any text",
            Attributes => "`key;value,value;match`, several separated by `\\|`",
            Disabling => "names separated by `,` or `;`",
            Endpoints => "`service:method,method;service:method`",
            File => "path",
            Flag => "`true`, `1`, `false`, `0`",
            Headers => "names separated by `;` or `,`",
            Host => "host name, IPv4 or IPv6 address",
            Number(unit, least, most) => return format!("{unit}, {least} to {most}"),
            OneOf(words) => {
                // The page leaves out second names of levels.
                let mut words = words.to_vec();
                words.retain(|word| !["warning", "fatal"].contains(word));
                return format!("`{}`", words.join("`, `"));
            }
            Plugin => "1 to 64 of `a-z`, `0-9`, `.`, `_`, `-`",
            Port => "port",
            Secrets => "`mode:term,term`",
            Statuses => "statuses from 400 to 499, separated by `,`",
            Text => "text, 1 to 1024 bytes",
            Unread => "not read",
        };
        words.to_owned()
    }

    #[test]
    fn variables_are_the_documented_ones() {
        let Some(page) = page("ENVIRONMENT.md") else {
            return;
        };
        let documented = documented(&page);
        for (name, typed) in &documented {
            let words = kind(name).map(words).unwrap_or_default();
            let flag = format!("{words}, or `true`, `false`");
            assert!(
                *typed == words || *typed == flag,
                "{name}: {typed}, {words}"
            );
        }
        let names: BTreeSet<_> = documented.iter().map(|(name, _)| *name).collect();
        let known: BTreeSet<_> = VARIABLES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, known);
    }

    #[test]
    fn variables_that_are_not_read_are_the_documented_ones() {
        let Some(page) = page("ENVIRONMENT.md") else {
            return;
        };
        let (_, page) = page.split_once("that are not read\n").unwrap();
        let (page, _) = page.split_once("\n## ").unwrap();
        let rows = page.lines().filter(|line| line.starts_with("| "));
        let cells = rows.skip(2).filter_map(|row| row.split('|').nth(1));
        let documented = cells.flat_map(|cell| cell.split(',').map(str::trim));
        let documented: BTreeSet<_> = documented.collect();
        let unread = UNREAD.iter().flat_map(|(names, _)| names.iter().copied());
        assert_eq!(documented, unread.collect::<BTreeSet<_>>());
    }

    #[test]
    fn kinds() {
        for (name, expected) in [
            (
                "INSTANA_SLOW_POLL",
                Some(Number("milliseconds", 1, 600_000)),
            ),
            (
                "INSTANA_TRACING_FILTER_EXCLUDE_a_ATTRIBUTES",
                Some(Attributes),
            ),
            ("INSTANA_TRACING_FILTER_EXCLUDE_a_SUPPRESSION", Some(Flag)),
            ("INSTANA_TRACING_FILTER_INCLUDE_a_SUPPRESSION", None),
            ("INSTANA_TRACING_FILTER_EXCLUDE_ATTRIBUTES", None),
            ("INSTANA_ZONE", Some(Unread)),
            ("instana_slow_poll", None),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }

    #[test]
    fn misspelt_names() {
        for (name, expected) in [
            ("INSTANA_AGENTHOST", Some("INSTANA_AGENT_HOST")),
            ("instana_agent_port", Some("INSTANA_AGENT_PORT")),
            ("INSTANA_SERVICENAME", Some("INSTANA_SERVICE_NAME")),
            ("INSTANA_SECRET", Some("INSTANA_SECRETS")),
            (
                "INSTANA_TRACING_FILTER_INCLUDE_A_SUPPRESSION",
                Some(INCLUDE),
            ),
            ("INSTANA_TRACING_FILTER_A", Some(EXCLUDE)),
            ("INSTANA_X", None),
        ] {
            assert_eq!(meant(name), expected, "{name}");
        }
    }
}
