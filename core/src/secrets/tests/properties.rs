//! Properties of redaction, for all texts.

use proptest::prelude::*;

use crate::secrets::tests::*;

/// A matcher, and a key that it finds.
fn secret_key() -> impl Strategy<Value = (Matcher, String)> {
    let default = (
        "[a-z_.-]{0,5}",
        "(?i)(key|pass|secret|%70ass|%6bey|s%65cret|%2573ecret)",
        "[A-Z0-9_-]{0,5}",
    )
        .prop_map(|(before, word, after)| (Matcher::default(), before + &word + &after));
    let own = (0..5_usize, "[a-z][a-z_-]{1,6}", "[a-z]{0,3}").prop_map(|(mode, term, more)| {
        let (matcher, key) = match mode {
            0 => (format!("equals:{term}"), term),
            1 => (format!("equals-ignore-case:{term}"), term.to_uppercase()),
            2 => (format!("contains:{term}"), format!("{more}{term}{more}")),
            3 => {
                let key = format!("{more}{}", term.to_uppercase());
                (format!("contains-ignore-case:{term}"), key)
            }
            _ => (format!("regex:^{term}[a-z]*$"), term + &more),
        };
        (Matcher::parse(&matcher, &mut Vec::new()).unwrap(), key)
    });
    prop_oneof![default, own]
}

/// A value that is found again in the output if any part of it stays.
fn secret_value() -> impl Strategy<Value = String> {
    prop_oneof![
        r"([A-Z][A-Z0-9ÄßЖ!$*/_.~^|()-]{0,8})?HUNTER[A-Z0-9%+]{1,8}",
        r"([A-Z][A-Z0-9ÄßЖ!$*_.~^|@()-]{0,8})?HUNTER[A-Z0-9%+@]{1,8}",
    ]
}

/// Texts made of what the scanners react to.
fn crafted() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("key".to_owned()),
        Just("password".to_owned()),
        Just("<redacted>".to_owned()),
        Just("://".to_owned()),
        Just("u:p@h".to_owned()),
        Just("Some(\"".to_owned()),
        Just("authorization".to_owned()),
        Just("%3D".to_owned()),
        Just("\\u0070ass".to_owned()),
        Just("\", \"".to_owned()),
        Just("sig=".to_owned()),
        "[=:;&?/#@ \"'`\\\\,(){}\\[\\]<>%+\n]",
        "[a-z]{1,3}",
        "[ßЖ\u{0}\u{301}]",
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

const ALL: [Redact; 6] = [query, url, path, text, dsn, |m, value, out| {
    header(m, "cookie", value, out);
}];

#[test]
fn a_path_that_loses_its_user_is_looked_at_again() {
    let once = applied(path, "://\\u0070asssig=#u:p@h");
    assert_eq!(once, "://\\u0070asssig=<redacted>");
    assert_eq!(applied(path, &once), once);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_panics_and_redaction_is_idempotent(
        text in prop_oneof![crafted(), any::<String>()],
    ) {
        for (index, redact) in ALL.into_iter().enumerate() {
            let once = applied(redact, &text);
            prop_assert_eq!(&applied(redact, &once), &once, "function {}", index);
        }
    }

    #[test]
    fn no_secret_survives(
        (matcher, key) in secret_key(),
        value in secret_value(),
        before in "[a-z]{1,4}",
    ) {
        let plain = value.replace(['/', '?', '#', '@'], "");
        let rows: [(Redact, String); 17] = [
            (query, format!("{before}=1&{key}={value}")),
            (query, format!("?{before}=1;{key}={value}&{before}")),
            (url, format!("https://{before}:{value}@host/{before}")),
            (url, format!("https://h/{before}?{key}={value}")),
            (url, format!("https://h/{before};{key}={plain};v=1/b")),
            (path, format!("/{before};v=1;{key}={plain}/b")),
            (text, format!("{before} https://{before}:{value}@host/ failed")),
            (text, format!("{before} https://h/{before}?{key}={value}&a=1: failed")),
            (text, format!("{before}: {key}={value} failed")),
            (text, format!("{before}: {key}: {value}, failed")),
            (text, format!("{{\"{key}\":\"{before} {value}\",\"a\":1}}")),
            (text, format!("{before} {{ {key}: Some(\"{before} {value}\") }}")),
            (dsn, format!("postgres://{before}:{value}@host/db")),
            (dsn, format!("Server={before};{key}={before} {value};Uid=a")),
            (dsn, format!("host={before} {key}={value} user=a")),
            (dsn, format!("{before}:{value}@tcp(host:3306)/db?a=b")),
            (dsn, format!("postgres://host/db?a=1&{key}={value}")),
        ];
        for (redact, text) in rows {
            let mut out = String::new();
            redact(&matcher, &text, &mut out);
            prop_assert!(!out.contains("HUNTER"), "{} -> {}", text, out);
        }
        let mut out = String::new();
        header(&matcher, &key, &value, &mut out);
        prop_assert_eq!(out, REDACTED);
    }

    #[test]
    fn what_is_not_secret_stays(pairs in "([ab]=[0-9]{0,3}&){0,4}c", host in "[a-e]{1,8}") {
        prop_assert_eq!(&applied(query, &pairs), &pairs);
        let plain = format!("https://{host}/{host};v=1");
        prop_assert_eq!(&applied(url, &plain), &plain);
        let sentence = format!("{host}: cannot reach {plain}?{pairs} (code=1)");
        prop_assert_eq!(applied(text, &sentence), sentence);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn blocks_and_pairs_are_settled(
        text in "(\\n  |\\n|- |: |\\||>|password|key|a|b c|\\(\"|\", \"|\"\\)|, |value: \"|name: \"|“|”|«|<|A<B> \\{ |\\}|\\\\u0026|\\\\u003d|=|@tcp\\(|/|<redacted>){0,16}",
    ) {
        for (index, redact) in ALL.into_iter().enumerate() {
            let once = applied(redact, &text);
            prop_assert_eq!(&applied(redact, &once), &once, "function {}", index);
        }
    }
}
