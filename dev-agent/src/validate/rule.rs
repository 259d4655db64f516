use std::fmt;

/// Who may break a rule without it being a violation: the habits of Instana's
/// own tracers, which a host agent accepts. They are listed as notes instead.
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
    ($($variant:ident $name:literal $accepted:expr, $source:literal, $demands:literal;)*) => {
        /// A rule of the agent protocol that requests are checked against.
        ///
        /// The table is also printed by `instana-dev-agent --rules`. `note` tells
        /// for which plugins a breach is a note and no violation.
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

            /// The chapter of the protocol description (`A` agent protocol, `S`
            /// span model) that the rule comes from.
            #[must_use]
            pub fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }

            fn accepted(self) -> Accepted {
                match self { $(Self::$variant => $accepted,)* }
            }
        }
    };
}

rules! {
    HttpSyntax "http-syntax" Accepted::Never, "A 2.1", "What arrives is HTTP/1.1.";
    Path "path" Accepted::Never, "A 2.1", "The path is one of the protocol's.";
    Method "method" Accepted::Never, "A 2.1", "Lookup is GET, announce PUT, readiness HEAD, the rest POST.";
    ContentType "content-type" Accepted::Never, "A 2.1", "A request with a body has Content-Type application/json; the announce of golang may omit it.";
    ContentLength "content-length" Accepted::Never, "A 2.1", "The body has the announced length.";
    BodySize "body-size" Accepted::AllBut(OUR_SPANS), "A 2.4", "A body has at most 5 MiB.";
    Json "json" Accepted::Never, "A 2.1", "The body is one JSON text in UTF-8.";
    DuplicateKey "duplicate-key" Accepted::Never, "A 2.1", "No JSON object has a key twice.";
    BodyShape "body-shape" Accepted::Never, "A 2.1", "Announce, metrics, responses and log lines are objects; spans and profiles are arrays.";

    UrlPid "url-pid" Accepted::Never, "A 1.5", "The pid in a URL is the pid of the announce answer.";
    UrlPlugin "url-plugin" Accepted::Never, "A 2.1", "The plugin in a URL is the announced one.";
    OrderLookup "order-lookup" Accepted::Never, "A 8.3", "A process looks the agent up (GET /) before it announces itself.";
    OrderReady "order-ready" Accepted::From(&["python"]), "A 1.6", "Metrics follow a readiness check (HEAD) that was answered 2xx.";
    OrderTraces "order-traces" Accepted::Never, "A 8.3", "The first spans follow the first metrics after an announce.";
    SnapshotFirst "snapshot-first" Accepted::Never, "A 8.3", "The first metrics after the first announce carry the snapshot.";
    SnapshotAgain "snapshot-again" Accepted::From(&["python"]), "A 1.8", "The first metrics after a further announce carry the snapshot again.";

    AnnouncePid "announce-pid" Accepted::Never, "A 1.3", "`pid` is a positive integer.";
    AnnounceParentNs "announce-parent-ns" Accepted::Never, "A 1.3", "`pidFromParentNS` is a boolean.";
    AnnounceName "announce-name" Accepted::Never, "A 1.3", "`name` is a string that is not empty.";
    AnnounceArgs "announce-args" Accepted::Never, "A 1.3", "`args` is an array of strings.";
    AnnounceFd "announce-fd" Accepted::Never, "A 1.4", "`fd` is a string of digits (or empty) and comes with `inode`.";
    NumericFd "numeric-fd" Accepted::AllBut(OURS), "A 1.4", "`fd` is a string and not a number.";
    AnnounceInode "announce-inode" Accepted::Never, "A 1.4", "`inode` is `socket:[N]` (or empty) and comes with `fd`.";
    AnnounceCpuset "announce-cpuset" Accepted::Never, "A 1.3", "`cpuSetFileContent` is a string shorter than 2000 bytes.";
    AnnounceKey "announce-key" Accepted::Never, "A 1.3", "The announce has no other keys (no `env`).";
    AnnounceSocket "announce-socket" Accepted::Never, "A 1.4", "While the announce is open, `fd` resolves to `inode`, which is a connection to the agent.";
    AnnounceOtherSocket "announce-other-socket" Accepted::AllBut(&["rust"]), "A 1.4", "The connection named by `inode` is the one that carries the announce.";
    AnnounceSocketUnchecked "announce-socket-unchecked" Accepted::Always, "A 1.4", "The process is visible to the agent, so that `fd` and `inode` can be checked.";

    MetricsPid "metrics-pid" Accepted::Never, "A 4", "`pid` in metrics is the integer of the URL.";
    MetricsMissing "metrics-missing" Accepted::Never, "A 4", "Metrics hold every member that the plugin's schema always sends.";
    MetricsKey "metrics-key" Accepted::AllBut(OURS), "A 4", "Metrics hold no member that the plugin's schema lacks.";
    MetricsType "metrics-type" Accepted::Never, "A 4", "Metrics are numbers, or objects of them, of the schema's type.";
    FloatStartTime "float-start-time" Accepted::Always, "A 4.2", "`startTime` is a whole number of milliseconds.";
    SnapshotMissing "snapshot-missing" Accepted::Never, "A 4", "A snapshot holds every member that the plugin's schema requires.";
    SnapshotKey "snapshot-key" Accepted::AllBut(OURS), "A 4", "A snapshot holds no member that the plugin's schema lacks.";
    SnapshotType "snapshot-type" Accepted::Never, "A 4", "The snapshot's members have the schema's type.";

    SpanShape "span-shape" Accepted::Never, "S 1.1", "A span is an object.";
    SpanCount "span-count" Accepted::AllBut(OURS), "A 2.4", "One POST carries at most 1000 spans.";
    SpanKey "span-key" Accepted::AllBut(OUR_SPANS), "S 1.1", "A span has no key outside the envelope.";
    NullMember "null-member" Accepted::AllBut(OUR_SPANS), "S 1.1", "What is unknown is left out and not null.";
    TraceId "trace-id" Accepted::Never, "S 1.2", "`t` is 16 lower-case hex digits, not all zero.";
    SpanId "span-id" Accepted::Never, "S 1.2", "`s` is 16 lower-case hex digits, not all zero.";
    ParentId "parent-id" Accepted::Never, "S 1.2", "`p` is 16 lower-case hex digits, not all zero and not the span itself; roots have none.";
    LongTraceId "long-trace-id" Accepted::Never, "S 1.1", "`lt` is 32 lower-case hex digits whose last 16 are `t`.";
    LongTraceIdPlace "long-trace-id-place" Accepted::Never, "S 1.1", "Only entries have `lt`.";
    SpanName "span-name" Accepted::Never, "S 1.1", "`n` is a string that is not empty.";
    SpanKind "span-kind" Accepted::Never, "S 1.1", "`k` is 1 (entry), 2 (exit) or 3 (intermediate).";
    Timestamp "timestamp" Accepted::Never, "S 1.1", "`ts` is an integer of milliseconds since 1970, within a day of now.";
    Duration "duration" Accepted::Never, "S 1.1", "`d` is an integer of milliseconds, not negative and below a day.";
    ErrorCount "error-count" Accepted::Never, "S 1.1", "`ec` is an integer, not negative; plugin rust always sends it.";
    ErrorCountAboveOne "error-count-above-one" Accepted::Always, "S 1.1", "`ec` above 1 counts several calls (a batch).";
    From "from" Accepted::Never, "S 1.3", "`f` is an object with `e`, and `h` or `hl`; raw traces may leave it out.";
    FromEntity "from-entity" Accepted::Never, "S 1.3", "`f.e` is the pid of the announce answer.";
    NumericEntity "numeric-entity" Accepted::AllBut(OURS), "S 1.3", "`f.e` is a string and not a number.";
    FromHost "from-host" Accepted::Never, "S 1.3", "`f.h` is the agentUuid of the announce answer.";
    FromHostless "from-hostless" Accepted::Never, "S 1.3", "`hl` (true) and `cp` never come together with `h`.";
    Stack "stack" Accepted::Never, "A 7.9", "`stack` is an array of frames `{m, c, n}`: method, file, line.";
    StackPlace "stack-place" Accepted::AllBut(OUR_SPANS), "A 7.9", "Only exits have frames.";
    StackLength "stack-length" Accepted::AllBut(OUR_SPANS), "A 7.9", "`stack` has at most 500 frames.";
    BareFrame "bare-frame" Accepted::Always, "A 7.9", "A frame has a file and a line too.";
    Synthetic "synthetic" Accepted::Never, "S 1.1", "`sy` is true and on entries only.";
    W3cParent "w3c-parent" Accepted::Never, "S 1.1", "`tp` is true and on entries with a parent only.";
    Ancestor "ancestor" Accepted::Never, "S 1.1", "`ia` is `{t, p}` in lower-case hex and comes with `tp`.";
    Correlation "correlation" Accepted::Never, "S 1.1", "`crid` and `crtp` come together, as strings, on root entries and on entries with `tp`.";
    Batch "batch" Accepted::Never, "S 1.1", "`b` is `{s, d}`: a size above 0 and milliseconds.";
    BatchSize "batch-size" Accepted::AllBut(OUR_SPANS), "A 2.6", "`b.s` is left out for a single call.";
    BatchDuration "batch-duration" Accepted::Never, "A 2.6", "`b.d` is the sum of calls none of which is longer than `d`.";
    Data "data" Accepted::Never, "S 1.1", "`data` is an object.";
    Service "service" Accepted::Never, "S 2", "`data.service` is a string that is not empty.";

    UnknownSpanName "unknown-span-name" Accepted::Always, "S 2", "The name is a registered one; of others only the envelope is checked.";
    KindFitsName "kind-fits-name" Accepted::Never, "S 2", "`k` is the kind that the name (and sort, access or op) implies.";
    SectionMissing "section-missing" Accepted::Never, "S 2", "`data` has the section that the name implies.";
    SectionExtra "section-extra" Accepted::AllBut(OUR_SPANS), "S 2", "`data` has no section of another span type.";
    SectionKey "section-key" Accepted::AllBut(OUR_SPANS), "S 2", "A section has no key that its type lacks.";
    SectionType "section-type" Accepted::Never, "S 2", "A section's members have their type.";
    PortType "port-type" Accepted::AllBut(OUR_SPANS), "S 2.4", "A port is a string.";
    HttpStatus "http-status" Accepted::Never, "S 2.1", "`http.status` is an integer of 100 to 599.";
    HttpMethod "http-method" Accepted::Never, "S 2.1", "`http.method` is an HTTP token.";
    HttpUrl "http-url" Accepted::Never, "S 2.1", "`http.url` has neither query nor fragment nor credentials.";
    HttpPath "http-path" Accepted::Never, "S 2.1", "`http.path` has no query.";
    HttpParams "http-params" Accepted::Never, "S 2.1", "`http.params` does not start with `?`.";
    ServerError "server-error" Accepted::Never, "S 2.1", "A 5xx answer counts as an error (`ec` 1) on entries, and on exits of plugin rust.";
    Secret "secret" Accepted::Never, "A 7.5", "Values of query parameters whose key is a secret are `<redacted>`.";
    LogMessage "log-message" Accepted::AllBut(OUR_SPANS), "S 2.7", "`log.message` is a string that is not empty.";
    LogLevel "log-level" Accepted::AllBut(OUR_SPANS), "S 2.7", "`log.level` names a level, in upper or lower case.";
    LogError "log-error" Accepted::AllBut(&["rust"]), "S 2.7", "A log counts as an error (`ec` 1) from ERROR on, and not below.";
    SdkName "sdk-name" Accepted::Never, "S 2.8", "`sdk.name` is a string that is not empty.";
    SdkType "sdk-type" Accepted::Never, "S 2.8", "`sdk.type` is entry, exit, intermediate or local and fits `k`.";
    SdkCustom "sdk-custom" Accepted::Never, "S 2.8", "`sdk.custom` is an object of tags, logs, baggage and events, each an object.";

    DuplicateSpan "duplicate-span" Accepted::Never, "S 1.2", "No span is sent twice.";
    ParentKnown "parent-known" Accepted::Never, "S 2.8", "The parent of an exit or intermediate span is a span of the same trace.";
    RootExit "root-exit" Accepted::Never, "S 2.8", "An exit has a parent, unless root exits are allowed.";
    ExitUnderExit "exit-under-exit" Accepted::Never, "S 2.8", "The parent of an exit is no exit, unless one of them is a log.";
    IntermediateUnderExit "intermediate-under-exit" Accepted::Never, "S 2.8", "The parent of an intermediate span is no exit.";

    GenericSpan "generic-span" Accepted::Never, "A 3.3", "A generic span has spanId, traceId, timestamp, duration and name of the right type.";
    EventShape "event-shape" Accepted::Never, "A 2.7", "An event has a title and members of the right type.";
    EventTarget "event-target" Accepted::Never, "A 2.7", "An event has both `plugin` and `id` (of a service or process), or neither (of the host).";
    EventSeverity "event-severity" Accepted::Never, "A 2.7", "`severity` is -4, -2, -1, 5 or 10.";
    LogLine "log-line" Accepted::Never, "A 2.8", "A log line has `m`, at most `st`, and a known x-log-level.";
    ResponseMessageId "response-message-id" Accepted::Never, "A 2.5", "A response names the messageId of a request that was handed out.";
    ResponseShape "response-shape" Accepted::Never, "A 2.5", "A response has `data` or `error`.";
    TracerMetrics "tracer-metrics" Accepted::Never, "A 2.3", "Tracer metrics are `{pid, metrics: {opened, closed, dropped}}`, integers.";
    Profile "profile" Accepted::Never, "A 6.3", "A profile has its members in the right type, and call sites have `children`.";
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
        let mut out = String::from("| rule | demands | note | source |\n|---|---|---|---|\n");
        for rule in Self::ALL {
            let row = format!(
                "| `{rule}` | {} | {} | {} |\n",
                rule.demands(),
                rule.accepted(),
                rule.source()
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
    fn habits_are_notes_for_their_owners_only() {
        assert!(Rule::NullMember.is_note_for("nodejs"));
        assert!(!Rule::NullMember.is_note_for("rust"));
        assert!(Rule::OrderReady.is_note_for("python"));
        assert!(!Rule::OrderReady.is_note_for("golang"));
        assert!(!Rule::TraceId.is_note_for("nodejs"));
        assert!(Rule::BareFrame.is_note_for("rust"));
    }
}
