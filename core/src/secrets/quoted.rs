//! Errors of servers without the values that they quote.

use std::borrow::Cow;

/// What stands in the place of a value.
const HIDDEN: char = '…';

/// What may stand around a value, beside apostrophes.
const QUOTES: [char; 11] = ['"', '`', '´', '‘', '’', '‚', '“', '”', '„', '«', '»'];

/// Words that a number behind them is a position, a code or a size of.
const POSITIONS: [&str; 31] = [
    "argument",
    "attempt",
    "attempts",
    "bit",
    "byte",
    "char",
    "character",
    "code",
    "col",
    "column",
    "decimal",
    "errno",
    "error",
    "field",
    "http",
    "index",
    "level",
    "line",
    "numeric",
    "offset",
    "parameter",
    "pos",
    "position",
    "row",
    "slot",
    "sqlstate",
    "state",
    "status",
    "varchar",
    "varying",
    "version",
];

/// Units that a number before them is a time or a size of.
const UNITS: [&str; 9] = [
    "bytes",
    "characters",
    "m",
    "ms",
    "s",
    "sec",
    "second",
    "seconds",
    "times",
];

/// Where in the text something is that a server says behind what it quotes.
const PLACES: [&str; 5] = [
    " at line ",
    " at character ",
    " at position ",
    " at offset ",
    " at row ",
];

/// What begins a line of PostgreSQL's that is made of values, up to the end.
const DETAILS: [&str; 4] = ["DETAIL:", "CONTEXT:", "QUERY:", "STATEMENT:"];

/// What stands before a list of values, in the last bracket of which they end.
const ROWS: [&str; 2] = [")=", "Failing row contains "];

/// What SQLite says there.
const SYNTAX: &str = ": syntax error";

/// The words of a server's error. What stands in quotes is left out unless `is_name` knows it,
/// by what stands before it and by itself, for the name of something; so is all behind `near`
/// and `DETAIL:`, each row (`Key (a)=(b)`), and each number that is neither a position nor
/// a code. From a quote on that is not known, all
/// goes up to the last quote, for a value may have quotes in it, and to the end where one of
/// them has no partner.
pub(crate) fn unquoted(text: &str, is_name: &dyn Fn(&str, &str) -> bool) -> String {
    let mut out = String::with_capacity(text.len().min(1_024));
    let mut at = 0;
    let mut before = ' ';
    while let Some(c) = from(text, at).chars().next() {
        let next = at + c.len_utf8();
        let behind = from(text, next);
        let end = if is_opening(c, before) {
            Some(end_of_quote(text, at, c, is_name))
        } else if c.is_ascii_digit() && !(before.is_alphanumeric() || matches!(before, '_' | '$')) {
            Some(end_of_number(text, at))
        } else {
            None
        };
        let is_word_start = !before.is_alphanumeric();
        if let Some(words) = detail(from(text, at)).filter(|_| is_word_start) {
            out.push_str(words);
            out.push(' ');
            out.push(HIDDEN);
            return out;
        }
        if let Some((words, end)) = row(from(text, at)) {
            out.push_str(words);
            out.push('(');
            out.push(HIDDEN);
            out.push(')');
            before = ')';
            at += end;
            continue;
        }
        if is_word_start && is_near(from(text, at)) {
            out.push_str(from(text, at).get(..4).unwrap_or_default());
            out.push(' ');
            out.push(HIDDEN);
            out.push_str(place(from(text, at)));
            return out;
        }
        match end {
            Some(Part::Hidden(end)) => {
                out.push(HIDDEN);
                before = HIDDEN;
                at = end;
            }
            Some(Part::Shown(end)) => {
                let part = text.get(at..end).unwrap_or_default();
                out.push_str(part);
                before = part.chars().next_back().unwrap_or(' ');
                at = end;
            }
            None => {
                out.push(c);
                before = c;
                at = text.len() - behind.len();
            }
        }
    }
    out
}

/// What an error of a database says about itself where it is passed on by the application, in
/// words and in Rust's debug output: sqlx, tokio-postgres, mysql, rusqlite, and what all of
/// them say. Values may stand behind it.
const DATABASES: [&str; 24] = [
    "DatabaseError {",
    "DatabaseError(",
    "DbError {",
    "Duplicate entry '",
    "Failing row contains",
    "Incorrect date value: ",
    "Incorrect datetime value: ",
    "Incorrect decimal value: ",
    "Incorrect double value: ",
    "Incorrect integer value: ",
    "Incorrect string value: ",
    "MySqlError {",
    "SQL syntax",
    "SQLSTATE",
    "ServerError {",
    "SqlInputError {",
    "SqliteError {",
    "SqliteFailure(",
    "db error: ",
    "error returned from database",
    "invalid input syntax for type ",
    "syntax error",
    "unrecognized token: ",
    "violates ",
];

/// What mysql's errors begin with; its quote is none of a value.
const SERVER: &str = "Server error: `";

/// What tokio-postgres says before a source with the database's words.
const ENDING: &str = "db error";

/// What `violates` stands before in errors of PostgreSQL.
const CONSTRAINT: &str = " constraint";

/// `text` without the values that a database quotes in it, if the error of one is in it.
pub(crate) fn without_database_values(text: &str) -> Cow<'_, str> {
    let split = database_error(text).and_then(|start| text.split_at_checked(start));
    let Some((before, said)) = split else {
        return Cow::Borrowed(text);
    };
    Cow::Owned([before, &unquoted(said, &|_, _| false)].concat())
}

/// Whether the error of a database is in `text`, or behind it: its sources are those of
/// that error.
pub(crate) fn names_database(text: &str) -> bool {
    database_error(text).is_some() || text.ends_with(ENDING)
}

/// Where the error of a database begins in `text`.
fn database_error(text: &str) -> Option<usize> {
    let known = DATABASES.iter().filter_map(|words| match *words {
        "violates " => violated(text),
        words => text.find(words),
    });
    let server = text.find(SERVER).map(|at| at + SERVER.len());
    let start = known.chain(server).min();
    // SQLite says it behind the value.
    let near = text
        .find("near \"")
        .filter(|at| start.is_none_or(|start| *at < start));
    let is_sqlite = |near: usize| {
        let value = from(text, near + 6);
        value.contains("\": syntax error") || !value.contains('"')
    };
    near.filter(|near| is_sqlite(*near)).or(start)
}

fn violated(text: &str) -> Option<usize> {
    let at = text.find("violates ")?;
    from(text, at).contains(CONSTRAINT).then_some(at)
}

enum Part {
    /// Up to there, it is left out.
    Hidden(usize),
    /// Up to there, it is kept.
    Shown(usize),
}

/// What begins with a quote at `at`.
fn end_of_quote(text: &str, at: usize, quote: char, is_name: &dyn Fn(&str, &str) -> bool) -> Part {
    let start = at + quote.len_utf8();
    let behind = from(text, start);
    let close = closing(quote);
    if let Some((name, _)) = behind.split_once([quote, close]) {
        let end = start + name.len() + close.len_utf8();
        let is_whole = text.get(start + name.len()..end).is_some();
        if is_whole && is_name(text.get(..at).unwrap_or_default(), name) {
            return Part::Shown(end);
        }
    }
    let quotes = behind
        .char_indices()
        .filter(|(place, c)| is_quote(*c) && !is_inside_word(behind, *place, *c));
    let (count, last) = quotes.fold((0, None), |(count, _), quote| (count + 1, Some(quote)));
    Part::Hidden(match last {
        // One without its partner is open to the end.
        Some((place, c)) if count % 2 == 1 => start + place + c.len_utf8(),
        _ => text.len(),
    })
}

/// A number at `at`, with what belongs to it.
fn end_of_number(text: &str, at: usize) -> Part {
    let rest = from(text, at);
    let len = rest
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | ',' | '_' | ':')))
        .unwrap_or(rest.len());
    let number = rest
        .get(..len)
        .unwrap_or_default()
        .trim_end_matches(['.', ',', ':']);
    let end = at + number.len();
    let before = text.get(..at).unwrap_or_default();
    let word = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    let start = word
        .rfind(|c: char| !c.is_alphanumeric())
        .map_or(0, |at| at + 1);
    let word = word.get(start..).unwrap_or_default();
    let unit = from(text, end).trim_start();
    let unit = unit
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let is_one_of = |words: &[&str], word: &str| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    // As in `us-east-1`.
    let is_in_name = before.ends_with('-')
        && before
            .trim_end_matches('-')
            .ends_with(char::is_alphanumeric);
    // As in `at 1:21`: line and column.
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let line_and_column = number.split_once(':');
    let is_place = word == "at"
        && line_and_column.is_some_and(|(line, column)| is_digits(line) && is_digits(column));
    if is_in_name || is_place || is_one_of(&POSITIONS, word) || is_one_of(&UNITS, unit) {
        Part::Shown(end)
    } else {
        Part::Hidden(end)
    }
}

/// What is kept of the text where its rest is made of values.
fn detail(text: &str) -> Option<&'static str> {
    DETAILS.into_iter().find(|words| text.starts_with(words))
}

/// What stands before a row of values that begins here, and the end of that: the last bracket
/// of the text, for a value may have brackets in it.
fn row(text: &str) -> Option<(&'static str, usize)> {
    let words = ROWS.into_iter().find(|words| text.starts_with(words))?;
    from(text, words.len()).starts_with('(').then(|| {
        let last = text.rfind(')').filter(|at| *at >= words.len());
        (words, last.map_or(text.len(), |at| at + 1))
    })
}

fn is_near(text: &str) -> bool {
    let is_word = text
        .get(..4)
        .is_some_and(|word| word.eq_ignore_ascii_case("near"));
    is_word && !from(text, 4).starts_with(char::is_alphanumeric)
}

/// The place that the text ends with, if it does.
fn place(text: &str) -> &str {
    let found = PLACES.iter().filter_map(|place| {
        let at = text.rfind(place)?;
        let number = from(text, at + place.len()).trim_end_matches(['.', ')']);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(at)
    });
    match found.max() {
        Some(at) => from(text, at),
        None if text.ends_with(SYNTAX) => SYNTAX,
        None => "",
    }
}

/// An apostrophe behind a letter is none.
fn is_opening(c: char, before: char) -> bool {
    QUOTES.contains(&c) || (c == '\'' && !before.is_alphanumeric())
}

fn is_quote(c: char) -> bool {
    c == '\'' || QUOTES.contains(&c)
}

/// As in `doesn't`.
fn is_inside_word(text: &str, at: usize, c: char) -> bool {
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    let behind = from(text, at + c.len_utf8()).chars().next();
    matches!(c, '\'' | '’')
        && before.is_some_and(char::is_alphanumeric)
        && behind.is_some_and(char::is_alphanumeric)
}

fn closing(quote: char) -> char {
    match quote {
        '‘' => '’',
        '“' => '”',
        '„' => '“',
        '«' => '»',
        '`' => '`',
        other => other,
    }
}

fn from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        unquoted(text, &|_, _| false)
    }

    #[test]
    fn what_is_quoted_is_left_out() {
        for (text, expected) in [
            ("", ""),
            ("no value", "no value"),
            ("no such 'a'", "no such …"),
            ("no such 'a' or \"b\", sorry", "no such …, sorry"),
            (
                "role option \"it's \"x\" y\" is not",
                "role option … is not",
            ),
            ("role option \"a\"b\" is not", "role option …"),
            ("unknown 'a', with args: 'b' 'c", "unknown …"),
            (
                "it doesn't take 'x' and can't",
                "it doesn't take … and can't",
            ),
            ("no such 'it's", "no such …"),
            ("no such “a”", "no such …"),
            ("„a“ ist kein Wert, «b» auch nicht", "… auch nicht"),
            ("unknown `a", "unknown …"),
            ("syntax error at or near \"x\"", "syntax error at or near …"),
            ("error near x y at line 3", "error near … at line 3"),
            (
                "Syntax error near at line x at line 3.",
                "Syntax error near … at line 3.",
            ),
            ("NEAR: hunter2", "NEAR …"),
            ("near \"x\": syntax error", "near …: syntax error"),
            ("a linear thing nearby", "a linear thing nearby"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_stay_where_they_are_positions_or_codes() {
        for text in [
            "no field 3 in line 12, column 4",
            "os error 111",
            "code: 17",
            "error (SQLSTATE 42601)",
            "parameter $1 of int4 and utf8mb4",
            "character varying(20)",
            "timed out after 30 s",
            "region us-east-1",
        ] {
            assert_eq!(shown(text), text);
        }
        for (text, expected) in [
            ("the value is 424242", "the value is …"),
            ("the value is -4.5e3, sorry", "the value is -…, sorry"),
            ("424242 is too much", "… is too much"),
            ("got 4242abc", "got …"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn names_are_kept_where_they_are_known() {
        let is_name = |before: &str, name: &str| before.ends_with("table ") && name == "t";
        for (text, expected) in [
            ("table \"t\" has no 'x'", "table \"t\" has no …"),
            ("table \"u\" has no 'x'", "table …"),
            ("table \"t", "table …"),
        ] {
            assert_eq!(unquoted(text, &is_name), expected, "{text}");
        }
    }

    #[test]
    fn errors_of_databases_are_known_where_they_are_passed_on() {
        for (text, expected) in [
            ("no 'a' 17", "no 'a' 17"),
            (
                "no order 17: error returned from database: syntax error at or near \"x\"",
                "no order 17: error returned from database: syntax error at or near …",
            ),
            (
                "db error: ERROR: invalid input: \"x\"",
                "db error: ERROR: invalid input: …",
            ),
            (
                "`MySqlError { ERROR 1054 (42S22): Unknown column 'x' }",
                "`MySqlError { ERROR 1054 (…): Unknown column … }",
            ),
        ] {
            assert_eq!(without_database_values(text), expected);
        }
    }

    #[test]
    fn long_texts_take_the_time_of_their_length() {
        for piece in ["'", "\"a", "near", " 1", "1 ", "doesn't ", "„", "-1"] {
            let text = piece.repeat(50_000);
            assert!(shown(&text).len() <= 3 * text.len());
        }
    }

    #[test]
    fn errors_are_known_in_all_forms_of_drivers() {
        for (text, expected) in [
            (
                r#"Database(PgDatabaseError { code: "23505", detail: Some("Key (a)=(hunter2) x.") })"#,
                "Database(PgDatabaseError { code: …) })",
            ),
            (
                r#"Database(SqliteError { code: 1, message: "near "hunter2": syntax error" })"#,
                "Database(SqliteError { code: 1, message: … })",
            ),
            (
                r#"Database(MySqlDatabaseError { code: None, message: "Duplicate entry 'hunter2'" })"#,
                "Database(MySqlDatabaseError { code: None, message: … })",
            ),
            (
                r#"Error { kind: Db, cause: Some(DbError { severity: "ERROR", message: ""hunter2"" }) }"#,
                "Error { kind: Db, cause: Some(DbError { severity: … }) }",
            ),
            (
                "Server error: `ERROR HY000 (1366): Incorrect integer value: 'hunter2' for it`",
                "Server error: `ERROR HY000 (…): Incorrect integer value: …",
            ),
            (
                "cannot store it: near \"hunter2\": syntax error",
                "cannot store it: near …: syntax error",
            ),
            (
                "unrecognized token: \"'hunter2\" at offset 7",
                "unrecognized token: …",
            ),
            ("near \"hunter2 without an end", "near …"),
            ("parked near \"home\"", "parked near \"home\""),
            ("it violates \"all\" rules", "it violates \"all\" rules"),
            ("no \"a\" in the mongodb", "no \"a\" in the mongodb"),
        ] {
            assert_eq!(without_database_values(text), expected, "{text}");
            assert_eq!(without_database_values(expected), expected, "again: {text}");
        }
    }

    #[test]
    fn details_of_postgres_are_values() {
        for (text, expected) in [
            (
                "db error: ERROR: duplicate key value violates unique constraint \"u\"\nDETAIL: Key (email)=(hunter2@example.com) already exists.",
                "db error: ERROR: duplicate key value violates unique constraint …\nDETAIL: …",
            ),
            (
                "duplicate key value violates unique constraint u: Key (a, b)=(1, hun)ter2) already exists.",
                "duplicate key value violates unique constraint u: Key (a, b)=(…) already exists.",
            ),
            (
                "DETAIL: Failing row contains (1, hunter2, bob@example.com, null).",
                "DETAIL: Failing row contains (…).",
            ),
            (
                "Failing row contains (1, hunter2",
                "Failing row contains (…)",
            ),
            (
                "db error: ERROR: invalid\nCONTEXT: JSON data, line 1: {\"a\":hunter2...",
                "db error: ERROR: invalid\nCONTEXT: …",
            ),
        ] {
            assert_eq!(without_database_values(text), expected, "{text}");
            assert_eq!(without_database_values(expected), expected, "again: {text}");
        }
    }

    #[test]
    fn rows_and_details_take_the_time_of_their_length() {
        for piece in [")=(", "DETAIL", "Failing row contains (", "near \"", ")=("] {
            let text = piece.repeat(50_000);
            assert!(shown(&text).len() <= 3 * text.len());
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_left_out_is_not_left_out_again(
            text in r#"(db error: |DETAIL:|near|syntax error|\)=\(|at line |[a-z0-9"'`„“ :(),.\-…]){0,20}"#,
        ) {
            let once = without_database_values(&text).into_owned();
            proptest::prop_assert_eq!(&without_database_values(&once), &once, "{}", text);
        }
    }
}
