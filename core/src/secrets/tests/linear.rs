//! The time that redaction takes, in bytes looked at: whatever a text is made
//! of, it grows as the text does.

use crate::secrets::tests::*;

/// How often each byte of a text may be looked at: by each reader of what may stand in it,
/// and twice where something was replaced.
const MOST: usize = 2 * 24;

/// What the scanners react to.
const PIECES: [&str; 40] = [
    "a", "key", "=", ":", ";", "&", "?", "#", "/", "://", "::", "@", " ", ",", ".", "-", "\"", "'",
    "\\", "(", ")", "[", "]", "{", "}", "%", "%3D", "%25", "+", "\n", "ü", "key=", "u:p@",
    "Bearer ", "$a$", "--", "/*", "`", "U&'", "\\u0070",
];

type Redact = fn(&Matcher, &str, &mut String);

const ALL: [(&str, Redact); 11] = [
    ("query", query),
    ("url", url),
    ("path", path),
    ("text", text),
    ("dsn", dsn),
    ("header", |m, value, out| header(m, "x", value, out)),
    ("cookie", |m, value, out| header(m, "cookie", value, out)),
    ("generic", |m, value, out| {
        statement(m, Dialect::Generic, value, false, out);
    }),
    ("mysql", |m, value, out| {
        statement(m, Dialect::MySql, value, false, out);
    }),
    ("postgres", |m, value, out| {
        statement(m, Dialect::Postgres, value, false, out);
    }),
    ("sqlite", |m, value, out| {
        statement(m, Dialect::Sqlite, value, false, out);
    }),
];

fn assert_linear(matcher: &Matcher, start: &str, piece: &str, size: usize) {
    let text = [start, &piece.repeat(size / piece.len()), "x"].concat();
    let mut out = String::new();
    for (name, redact) in ALL {
        out.clear();
        work_counter::take();
        redact(matcher, &text, &mut out);
        let steps = work_counter::take();
        assert!(
            steps <= MOST * (text.len() + out.len()),
            "{name} looked at {steps} bytes of {}: {start:?} and {piece:?} again and again",
            text.len()
        );
    }
}

#[test]
fn large_texts_of_one_piece() {
    let matcher = Matcher::default();
    for piece in PIECES {
        for start in ["", "password=a"] {
            assert_linear(&matcher, start, piece, 64 * 1_024);
        }
    }
}

#[test]
fn texts_of_two_pieces() {
    let matcher = Matcher::default();
    for first in PIECES {
        for second in PIECES {
            for start in ["", "password=a"] {
                assert_linear(&matcher, start, &[first, second].concat(), 1_024);
            }
        }
    }
}

#[test]
fn texts_that_are_looked_through_in_vain() {
    let matcher = Matcher::default();
    for piece in [
        "://a:b",
        "a://;",
        "to=a://;",
        "to=a://b;c?",
        "a:b,c",
        "))))(",
        "key=a)\"",
        "key=a b ",
        "key: Bearer a ",
        "key=(\"",
        "key=a;b;",
        "key=a&bb&",
        "a=%3Fb%3D",
        "such key: ",
        "key:\\\"a\\\\\"",
        "key='a''",
        "\",\"a",
        "a=b=\"",
        "KeyError: a://b:",
    ] {
        for start in ["", "password=a", "a=1@", "key: \""] {
            assert_linear(&matcher, start, piece, 16 * 1_024);
        }
    }
}

/// The count is one of what is done: a search that begins again and again shows.
#[test]
fn searches_are_counted() {
    work_counter::take();
    for _ in 0..10 {
        assert_eq!(search::first("abcdef", |c| c == 'f'), Some(5));
    }
    assert_eq!(work_counter::take(), 60);
    assert_eq!(search::run("aab", |c| c == 'a'), 2);
    assert_eq!(search::run_back("abb", |c| c == 'b'), 1);
    assert_eq!(search::last("abcd", 'b'), Some(1));
    assert_eq!(work_counter::take(), 3 + 3 + 3);
}

#[test]
fn forms_of_pairs_take_the_time_of_their_length() {
    for piece in [
        "(\"password\",",
        "\",'",
        "name: \"key\", value",
        "key:\n  - ",
        "key: |\n",
        "key:\n a: ",
        "key:A<",
        "key: “",
        "a:b/@tcp(",
        "\\u0026key",
        "key\\u003da ",
    ] {
        let whole = piece.repeat(16 * 1_024 / piece.len());
        for redact in [text as Redact, query, dsn] {
            let mut out = String::new();
            work_counter::take();
            redact(&Matcher::default(), &whole, &mut out);
            let steps = work_counter::take();
            assert!(
                steps <= 48 * (whole.len() + out.len()),
                "{piece:?}: {steps}"
            );
        }
    }
}
