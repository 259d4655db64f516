//! `Rule`: one table of all rules of the protocol that are checked.

use std::fmt;

/// The tracers that may break a rule without a violation: differences of Instana's own
/// tracers that a host agent accepts. They are listed as notes instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepted {
    /// Nobody.
    Never,
    /// Everybody: the rule only ever makes notes.
    Always,
    /// These plugins.
    From(&'static [&'static str]),
    /// All plugins but these.
    AllBut(&'static [&'static str]),
}

/// The plugins that a Rust tracer announces as.
const OURS: &[&str] = &["rust", "golang"];
/// The same, and spans that came without an announce.
const OUR_SPANS: &[&str] = &["rust", "golang", "rawtrace"];

macro_rules! rules {
    ($($variant:ident $name:literal $accepted:expr, $heading:literal, $demands:literal;)*) => {
        /// A rule of the agent protocol that requests are checked against.
        ///
        /// The table is also printed by `instana-dev-agent --rules`. `note` lists the
        /// plugins for which a breach is a note and no violation, `heading` names the
        /// heading of docs/PROTOCOL.md in the repository that has the rule.
        ///
        #[doc = include_str!("../../docs/rules.md")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $demands] $variant,)*
        }

        impl Rule {
            /// Every rule, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable kebab-case name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the rule demands.
            #[must_use]
            pub fn demands(self) -> &'static str {
                match self { $(Self::$variant => $demands,)* }
            }

            /// The heading in docs/PROTOCOL.md of the repository that has the rule.
            #[must_use]
            pub fn heading(self) -> &'static str {
                match self { $(Self::$variant => $heading,)* }
            }

            fn accepted(self) -> Accepted {
                match self { $(Self::$variant => $accepted,)* }
            }
        }
    };
}

rules! {
    HttpSyntax "http-syntax" Accepted::Never, "Requests", "Requests are HTTP/1.1.";
    Path "path" Accepted::Never, "Requests", "The path is in the protocol.";
    Method "method" Accepted::Never, "Requests", "Lookup is GET, announce PUT, readiness HEAD, the rest POST.";
    ContentType "content-type" Accepted::Never, "Requests", "A request with a body has Content-Type application/json; the announce of golang may omit it.";
    ContentLength "content-length" Accepted::Never, "Requests", "The body has the announced length.";
    BodySize "body-size" Accepted::AllBut(OUR_SPANS), "Span requests", "A body has at most 5 MiB.";
    Json "json" Accepted::Never, "Requests", "The body is one JSON text in UTF-8.";
    DuplicateKey "duplicate-key" Accepted::Never, "Requests", "No JSON object has a key twice.";
    BodyShape "body-shape" Accepted::Never, "Requests", "Announce, metrics, responses and log lines are objects; spans and profiles are arrays.";

    UrlPid "url-pid" Accepted::Never, "Answer to the announce", "The pid in a URL is the pid of the announce answer.";
    UrlPlugin "url-plugin" Accepted::Never, "Requests", "The plugin in a URL is the announced one.";
    OrderLookup "order-lookup" Accepted::Never, "Life cycle", "A process looks the agent up (GET /) before it announces itself.";
    OrderReady "order-ready" Accepted::From(&["python"]), "Life cycle", "Metrics follow a readiness check (HEAD) that was answered 2xx.";
    OrderTraces "order-traces" Accepted::Never, "Metrics", "The first spans follow the first metrics after an announce.";
    SnapshotFirst "snapshot-first" Accepted::Never, "Metrics", "The first metrics after the first announce carry the snapshot.";
    SnapshotAgain "snapshot-again" Accepted::From(&["python"]), "Metrics", "The first metrics after a further announce carry the snapshot again.";

    AnnouncePid "announce-pid" Accepted::Never, "Announce", "`pid` is a positive integer.";
    AnnounceParentNs "announce-parent-ns" Accepted::Never, "Announce", "`pidFromParentNS` is a boolean.";
    AnnounceName "announce-name" Accepted::Never, "Announce", "`name` is a string that is not empty.";
    AnnounceArgs "announce-args" Accepted::Never, "Announce", "`args` is an array of strings.";
    AnnounceFd "announce-fd" Accepted::Never, "Announce", "`fd` is a string of digits (or empty) and comes with `inode`.";
    NumericFd "numeric-fd" Accepted::AllBut(OURS), "Announce", "`fd` is a string and not a number.";
    AnnounceInode "announce-inode" Accepted::Never, "Announce", "`inode` is `socket:[N]` (or empty) and comes with `fd`.";
    AnnounceCpuset "announce-cpuset" Accepted::Never, "Announce", "`cpuSetFileContent` is a string shorter than 2000 bytes.";
    AnnounceKey "announce-key" Accepted::Never, "Announce", "The announce has no other keys (no `env`).";
    AnnounceSocket "announce-socket" Accepted::Never, "Announce", "While the announce is open, `fd` resolves to `inode`, which is a connection to the agent.";
    AnnounceOtherSocket "announce-other-socket" Accepted::AllBut(&["rust"]), "Announce", "The connection named by `inode` is the one that carries the announce.";
    AnnounceSocketUnchecked "announce-socket-unchecked" Accepted::Always, "Announce", "The process is visible to the agent, so that `fd` and `inode` can be checked.";

    MetricsPid "metrics-pid" Accepted::Never, "Metrics", "`pid` in metrics is the integer of the URL.";
    MetricsMissing "metrics-missing" Accepted::Never, "Metrics", "Metrics hold every member that the plugin's schema always sends.";
    MetricsKey "metrics-key" Accepted::AllBut(OURS), "Metrics", "Metrics hold no member that the plugin's schema lacks.";
    MetricsType "metrics-type" Accepted::Never, "Metrics", "Metrics are numbers or objects of numbers, of the schema's type.";
    FloatStartTime "float-start-time" Accepted::Always, "Metrics", "`startTime` is a whole number of milliseconds.";
    SnapshotMissing "snapshot-missing" Accepted::Never, "Metrics", "A snapshot holds every member that the plugin's schema requires.";
    SnapshotKey "snapshot-key" Accepted::AllBut(OURS), "Metrics", "A snapshot holds no member that the plugin's schema lacks.";
    SnapshotType "snapshot-type" Accepted::Never, "Metrics", "The snapshot's members have the schema's type.";

    SpanShape "span-shape" Accepted::Never, "Span requests", "A span is an object.";
    BodyKept "body-kept" Accepted::Never, "Span requests", "A request has at most 100,000 spans, and none of its parts is too large for the agent's memory.";
    SpanKey "span-key" Accepted::AllBut(OUR_SPANS), "Spans", "A span has no key outside the envelope.";
    NullMember "null-member" Accepted::AllBut(OUR_SPANS), "Spans", "Unknown members are left out and not null.";
    TraceId "trace-id" Accepted::Never, "Ids", "`t` is 16 lower-case hex digits, not all zero.";
    SpanId "span-id" Accepted::Never, "Ids", "`s` is 16 lower-case hex digits, not all zero.";
    ParentId "parent-id" Accepted::Never, "Ids", "`p` is 16 lower-case hex digits, not all zero and not the span itself; roots have none.";
    LongTraceId "long-trace-id" Accepted::Never, "Ids", "`lt` is 32 lower-case hex digits whose last 16 are `t`.";
    LongTraceIdPlace "long-trace-id-place" Accepted::Never, "Ids", "Only entries have `lt`.";
    IdForm "id-form" Accepted::AllBut(OUR_SPANS), "Ids", "Ids of the caller are written as this tracer writes them, whatever the caller wrote.";
    SpanName "span-name" Accepted::Never, "Spans", "`n` is a string that is not empty.";
    SpanKind "span-kind" Accepted::Never, "Spans", "`k` is 1 (entry), 2 (exit) or 3 (intermediate).";
    Timestamp "timestamp" Accepted::Never, "Spans", "`ts` is an integer of milliseconds since 1970, within a day of now.";
    Duration "duration" Accepted::Never, "Spans", "`d` is an integer of milliseconds, not negative and below a day.";
    ErrorCount "error-count" Accepted::Never, "Errors", "`ec` is an integer, not negative; plugin rust always sends it.";
    ErrorCountAboveOne "error-count-above-one" Accepted::Always, "Errors", "`ec` above 1 counts several calls (a batch).";
    From "from" Accepted::Never, "Process", "`f` is an object with `e`, and `h` or `hl`; raw traces may leave it out.";
    FromEntity "from-entity" Accepted::Never, "Process", "`f.e` is the pid of the announce answer.";
    NumericEntity "numeric-entity" Accepted::AllBut(OURS), "Process", "`f.e` is a string and not a number.";
    FromHost "from-host" Accepted::Never, "Process", "`f.h` is the agentUuid of the announce answer.";
    FromHostless "from-hostless" Accepted::Never, "Process", "`hl` (true) and `cp` never come together with `h`.";
    Stack "stack" Accepted::Never, "Stack", "`stack` is an array of frames `{m, c, n}`: method, file, line.";
    StackPlace "stack-place" Accepted::AllBut(OUR_SPANS), "Stack", "Only exits have frames.";
    StackLength "stack-length" Accepted::AllBut(OUR_SPANS), "Stack", "`stack` has at most 500 frames.";
    BareFrame "bare-frame" Accepted::Always, "Stack", "A frame has a file and a line too.";
    Synthetic "synthetic" Accepted::Never, "Spans", "`sy` is true and on entries only.";
    W3cParent "w3c-parent" Accepted::Never, "Spans", "`tp` is true and on entries with a parent only.";
    Ancestor "ancestor" Accepted::Never, "Spans", "`ia` is `{t, p}` in lower-case hex and comes with `tp`.";
    Correlation "correlation" Accepted::Never, "Correlation", "`crid` and `crtp` come together, as strings, on root entries and on entries with `tp`.";
    Batch "batch" Accepted::Never, "Batching", "`b` is `{s, d}`: a size above 0 and milliseconds.";
    BatchSize "batch-size" Accepted::AllBut(OUR_SPANS), "Batching", "`b.s` is left out for a single call.";
    BatchDuration "batch-duration" Accepted::Never, "Batching", "`b.d` is the sum of calls none of which is longer than `d`.";
    Data "data" Accepted::Never, "Spans", "`data` is an object.";
    Service "service" Accepted::Never, "Spans", "`data.service` is a string that is not empty.";

    UnknownSpanName "unknown-span-name" Accepted::Always, "Families", "The name is registered; for other names only the envelope is checked.";
    KindFitsName "kind-fits-name" Accepted::Never, "Families", "`k` is the kind that the name (and sort, access or op) implies.";
    KafkaAccess "kafka-access" Accepted::AllBut(OUR_SPANS), "Families", "`kafka.access` is consume or send.";
    SectionMissing "section-missing" Accepted::Never, "Families", "`data` has the section that the name implies.";
    SectionExtra "section-extra" Accepted::AllBut(OUR_SPANS), "Families", "`data` has no section of another span type.";
    SectionKey "section-key" Accepted::AllBut(OUR_SPANS), "Families", "A section has no key that its type lacks.";
    SectionType "section-type" Accepted::Never, "Families", "A section's members have their type.";
    PortType "port-type" Accepted::AllBut(OUR_SPANS), "SQL", "A port is a string.";
    HttpStatus "http-status" Accepted::Never, "HTTP spans", "`http.status` is an integer of 100 to 599.";
    HttpMethod "http-method" Accepted::Never, "HTTP spans", "`http.method` is an HTTP token.";
    HttpUrl "http-url" Accepted::Never, "HTTP spans", "`http.url` has neither query nor fragment nor credentials.";
    HttpPath "http-path" Accepted::Never, "HTTP spans", "`http.path` has no query.";
    HttpParams "http-params" Accepted::Never, "HTTP spans", "`http.params` does not start with `?`.";
    ServerError "server-error" Accepted::Never, "HTTP spans", "A 5xx answer counts as an error (`ec` 1) on entries, and on exits of plugin rust.";
    Secret "secret" Accepted::Never, "Secrets", "Values of query parameters whose key is a secret are `<redacted>`.";
    LogMessage "log-message" Accepted::AllBut(OUR_SPANS), "Logs", "`log.message` is a string that is not empty.";
    LogLevel "log-level" Accepted::AllBut(OUR_SPANS), "Logs", "`log.level` names a level, in upper or lower case.";
    LogError "log-error" Accepted::AllBut(&["rust"]), "Logs", "A log counts as an error (`ec` 1) from ERROR on, and not below.";
    SdkName "sdk-name" Accepted::Never, "SDK spans", "`sdk.name` is a string that is not empty.";
    SdkType "sdk-type" Accepted::Never, "SDK spans", "`sdk.type` is entry, exit, intermediate or local and fits `k`.";
    SdkCustom "sdk-custom" Accepted::Never, "SDK spans", "`sdk.custom` is an object of tags, logs, baggage and events, each an object.";

    DuplicateSpan "duplicate-span" Accepted::Never, "Ids", "No span is sent twice.";
    ParentKnown "parent-known" Accepted::Never, "Kinds and parents", "The parent of an exit or intermediate span is a span of the same trace.";
    RootExit "root-exit" Accepted::Never, "Kinds and parents", "An exit has a parent, unless root exits are allowed.";
    ExitUnderExit "exit-under-exit" Accepted::Never, "Kinds and parents", "The parent of an exit is no exit, unless one of them is a log.";
    IntermediateUnderExit "intermediate-under-exit" Accepted::Never, "Kinds and parents", "The parent of an intermediate span is no exit.";

    GenericSpan "generic-span" Accepted::Never, "Generic spans", "A generic span has spanId, traceId, timestamp, duration and name of the right type.";
    EventShape "event-shape" Accepted::Never, "Events", "An event has a title and members of the right type.";
    EventTarget "event-target" Accepted::Never, "Events", "An event has both `plugin` and `id` (of a service or process), or neither (of the host).";
    EventSeverity "event-severity" Accepted::Never, "Events", "`severity` is -4, -2, -1, 5 or 10.";
    LogLine "log-line" Accepted::Never, "Log lines", "A log line has `m`, at most `st`, and a known x-log-level.";
    ResponseMessageId "response-message-id" Accepted::Never, "Requests of the agent", "A response names the messageId of a request that was handed out.";
    ResponseShape "response-shape" Accepted::Never, "Requests of the agent", "A response has `data` or `error`.";
    TracerMetrics "tracer-metrics" Accepted::Never, "Requests", "Tracer metrics are `{pid, metrics: {opened, closed, dropped}}`, integers.";
    Profile "profile" Accepted::Never, "Profiles", "A profile has its members in the right type, and call sites have `children`.";
}

impl Rule {
    /// Whether a breach by this plugin is a note and no violation.
    #[must_use]
    pub fn is_note_for(self, plugin: &str) -> bool {
        match self.accepted() {
            Accepted::Never => false,
            Accepted::Always => true,
            Accepted::From(plugins) => plugins.contains(&plugin),
            Accepted::AllBut(plugins) => !plugins.contains(&plugin),
        }
    }

    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }

    /// The table of all rules, as Markdown.
    #[must_use]
    pub fn table() -> String {
        let mut out = String::from("| rule | demands | note | heading |\n|---|---|---|---|\n");
        for rule in Self::ALL {
            let row = format!(
                "| `{rule}` | {} | {} | {} |\n",
                rule.demands(),
                rule.accepted(),
                rule.heading()
            );
            out.push_str(&row);
        }
        out
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => Ok(()),
            Self::Always => f.write_str("all"),
            Self::From(plugins) => f.write_str(&plugins.join(", ")),
            Self::AllBut(plugins) => write!(f, "all but {}", plugins.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::repository::page;

    #[test]
    fn names_are_unique_kebab_case() {
        let mut seen = HashSet::new();
        for rule in Rule::ALL {
            assert!(seen.insert(rule.name()), "{rule} twice");
            assert!(
                rule.name()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{rule}"
            );
            assert_eq!(Rule::named(rule.name()), Some(*rule));
        }
    }

    #[test]
    fn documented_table_is_this_one() {
        assert_eq!(include_str!("../../docs/rules.md"), Rule::table());
    }

    #[test]
    fn headings_are_those_of_the_protocol() {
        let Some(page) = page("PROTOCOL.md") else {
            return;
        };
        let lines = page.lines().filter(|line| line.starts_with('#'));
        let headings: HashSet<_> = lines.map(|line| line.trim_matches(['#', ' '])).collect();
        for rule in Rule::ALL {
            assert!(
                headings.contains(rule.heading()),
                "{rule}: {}",
                rule.heading()
            );
        }
    }

    #[test]
    fn habits_are_notes_for_their_owners_only() {
        assert!(Rule::NullMember.is_note_for("nodejs"));
        assert!(!Rule::NullMember.is_note_for("rust"));
        assert!(Rule::OrderReady.is_note_for("python"));
        assert!(!Rule::OrderReady.is_note_for("golang"));
        assert!(!Rule::TraceId.is_note_for("nodejs"));
        assert!(Rule::BareFrame.is_note_for("rust"));
    }
}
