//! No secret leaves the process, wherever in a span it stands.

use proptest::prelude::*;

use crate::Span;
use crate::record::{Family, Kind, TagValue};
use crate::testing::{RecordedSpan, Recorder};
use crate::trace::propagation::Incoming;
use crate::trace::span::Failure;
use crate::trace::span::http;
use crate::trace::span::http::Http;

crate::section! {
    /// A database.
    struct Db = "db" {
        /// Its connection string.
        dsn: dsn(100),
        /// A query string.
        query: query(100),
        /// A URL.
        url: url(100),
        /// Headers.
        header: headers(100),
        /// What went wrong.
        error: error(100),
    }
}

static CALL: Family = Family::new("db", Kind::Exit, Db::SECTION, "databases");

/// Part of every secret: it is in no span.
const MARK: &str = "HUNTER";

/// What is recorded of one secret.
#[derive(Clone, Debug)]
struct Secret {
    /// The matcher, and a key that it finds.
    matcher: String,
    key: String,
    value: String,
    /// Stands before it in each text, of any length: cuts come anywhere.
    before: String,
}

impl Secret {
    /// The places of a secret in a query.
    fn queries(&self) -> [String; 7] {
        let Self {
            key, value, before, ..
        } = self;
        let url = format!("https://h/?a={before}&{key}={value}");
        let user = format!("https://u:{value}@h/");
        let json = format!("{{\"a\":\"{before}\",\"{key}\":\"{value}\"}}");
        [
            format!("a={before}&{key}={value}"),
            format!("a={before};{}={value};b=1", encoded(key)),
            format!("a={before}&to={}&b=1", encoded(&url)),
            format!("a={before}&to={}", encoded(&encoded(&url))),
            format!("a={before}&to={user}&b=1"),
            format!("a={before}&to={}", encoded(&user)),
            format!("a={before}&to={}", encoded(&json)),
        ]
    }

    fn urls(&self) -> [String; 3] {
        let Self {
            key, value, before, ..
        } = self;
        let plain = value.replace(['/', '?', '#', '@', ';'], "");
        [
            format!("https://{before}:{value}@host/{before}?{key}={value}#{value}"),
            format!("https://h/{before};v=1;{key}={plain};w=2/b"),
            format!("https://h/{before};{}={plain}", encoded(key)),
        ]
    }

    fn texts(&self) -> [String; 9] {
        let Self {
            key, value, before, ..
        } = self;
        let [url, ..] = self.urls();
        [
            format!("{before} cannot reach {url}: timed out"),
            format!("{before} https://h/?{key}={value}&a=1: failed"),
            format!("{before}: {key}={value} failed"),
            format!("{before}: {key}: {value}, failed"),
            format!("{before} Server=a;{key}=b {value};Uid=c"),
            format!("{before} {{\"{key}\":\"b {value}\",\"a\":1}}"),
            format!("{before} {{ {key}: Some(\"b {value}\") }}"),
            format!("{before} u:{value}@tcp(host:3306)/db"),
            format!("{before} authorization: Bearer {value}"),
        ]
    }

    fn dsns(&self) -> [String; 5] {
        let Self {
            key, value, before, ..
        } = self;
        [
            format!("postgres://{before}:{value}@host/db?a=1&{key}={value}"),
            format!("Server={before};{key}=b {value};Uid=a"),
            format!("host={before} {key}={value} user=a"),
            format!("{before}:{value}@tcp(host:3306)/db?a=b"),
            format!("jdbc:sqlserver://{before}:1433;user=a;{key}={value};x=1"),
        ]
    }

    fn headers(&self) -> [(String, String); 3] {
        let Self {
            key, value, before, ..
        } = self;
        [
            (key.clone(), format!("{before}{value}")),
            ("Authorization".to_owned(), format!("{before} {value}")),
            (
                "Cookie".to_owned(),
                format!("a={before}; {key}=b {value}; c=1"),
            ),
        ]
    }

    fn record(&self, recorder: &Recorder) -> Vec<RecordedSpan> {
        recorder.enter(|| {
            for (query, url) in self.queries().iter().zip(self.urls().iter().cycle()) {
                let (_, path) = url
                    .match_indices('/')
                    .nth(2)
                    .map(|(at, _)| url.split_at(at))
                    .unwrap();
                for family in [&http::ENTRY, &http::EXIT] {
                    let mut span = Span::entry(family, &Incoming::none());
                    Http::record(&mut span, |http| {
                        http.url(url).path(path);
                        http.params(query);
                    });
                }
            }
            for (name, value) in self.headers() {
                let mut span = Span::entry(&CALL, &Incoming::none());
                Db::record(&mut span, |db| {
                    db.header(&name, &value);
                });
            }
            for dsn in self.dsns() {
                let mut span = Span::entry(&CALL, &Incoming::none());
                Db::record(&mut span, |db| {
                    db.dsn(&dsn);
                });
            }
            for text in self.texts() {
                texts(&text);
            }
        });
        recorder.spans()
    }
}

/// Where free text is searched: errors, error tags, entries of the log, headers.
fn texts(text: &str) {
    let mut call = Span::entry(&CALL, &Incoming::none());
    call.error(text);
    call.log(text);
    call.tag("why", TagValue::Error(text));
    Db::record(&mut call, |db| {
        db.header("x-note", text);
    });
    call.end();
    let mut own = crate::entry_span("own");
    own.record_error(&std::io::Error::other(text.to_owned()));
    own.log_with("note", |entry| {
        entry.field("why", TagValue::Error(text));
    });
    own.end();
    crate::entry_span("shown").record_error(Failure::display(&text));
}

/// All that is not a letter or a digit, as `%2F`.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// A matcher, and a key that it finds.
fn keys() -> impl Strategy<Value = (String, String)> {
    let default = (
        "[a-z_.-]{0,3}",
        "(?i)(key|pass|secret|%70ass|%6bey)",
        "[A-Z0-9_-]{0,3}",
    )
        .prop_map(|(before, word, after)| {
            let terms = "contains-ignore-case:key,pass,secret".to_owned();
            (terms, before + &word + &after)
        });
    let own =
        (0..5_usize, "[g-z][g-z_-]{1,6}", "[g-z]{0,3}").prop_map(|(mode, term, more)| match mode {
            0 => (format!("equals:{term}"), term),
            1 => (format!("equals-ignore-case:{term}"), term.to_uppercase()),
            2 => (format!("contains:{term}"), format!("{more}{term}{more}")),
            3 => (
                format!("contains-ignore-case:{term}"),
                more + &term.to_uppercase(),
            ),
            _ => (format!("regex:{term}[a-z]*"), term + &more),
        });
    prop_oneof![default, own]
}

fn secrets() -> impl Strategy<Value = Secret> {
    let value = r"([A-Z][A-Z0-9ÄßЖ!$*_.~^|@()-]{0,8})?HUNTER[A-Z0-9@]{1,8}";
    // Up to and beyond what is kept of a text whose limit is 100 bytes.
    let before = prop_oneof![0..120_usize, 1_000..1_200_usize];
    (keys(), value, before).prop_map(|((matcher, key), value, before)| Secret {
        matcher,
        key,
        value,
        before: "x".repeat(before.max(1)),
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_secret_survives_in_any_place(secret in secrets()) {
        let recorder = Recorder::builder().secrets(&secret.matcher).build();
        for span in secret.record(&recorder) {
            let json = span.json();
            prop_assert!(!json.contains(MARK), "{}", json);
        }
    }

    #[test]
    fn half_a_secret_does_not_survive_a_cut(before in 0..1_300_usize, long in 0..3_usize) {
        let secret = Secret {
            matcher: "contains:key".to_owned(),
            key: "key".to_owned(),
            value: MARK.repeat([1, 30, 400][long]),
            before: "x".repeat(before),
        };
        let recorder = Recorder::builder().secrets(&secret.matcher).build();
        for span in secret.record(&recorder) {
            let json = span.json();
            prop_assert!(!json.contains("HU") && !json.contains("UN"), "{}", json);
        }
    }
}

#[test]
fn what_is_longer_than_its_limit_is_redacted_and_then_cut() {
    let recorder = Recorder::new();
    let before = "x".repeat(70);
    recorder.enter(|| {
        let mut span = Span::entry(&CALL, &Incoming::none());
        span.error(&format!("{before} at http://user:hunter2@host/ failed"));
        Db::record(&mut span, |db| {
            db.query(&format!("key={}&a={}", "y".repeat(500), "ü".repeat(100)))
                .url(&format!("http://user:hunter2@{}", "z".repeat(200)))
                .header("a", &format!("{} password=hunter2", "v".repeat(90)))
                .header(&"n".repeat(256), "left out");
        });
    });
    let span = recorder.span("db", Kind::Exit);
    let error = format!("{before} at http://<redacted>:<redacte");
    assert_eq!(span.text("data.db.error"), Some(error));
    let query = format!("key=<redacted>&a={}", "ü".repeat(41));
    assert_eq!(span.text("data.db.query"), Some(query));
    let url = format!("http://<redacted>:<redacted>@{}", "z".repeat(71));
    assert_eq!(span.text("data.db.url"), Some(url));
    let header = format!("{} password=", "v".repeat(90));
    assert_eq!(span.text("data.db.header.a"), Some(header));
    assert_eq!(span.json().matches("nnn").count(), 0);
}
