use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use sqlx::error::ErrorKind;

use super::*;

/// An error as a server would send it.
#[derive(Debug)]
struct Told {
    code: &'static str,
    message: &'static str,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) {}", self.code, self.message)
    }
}

impl StdError for Told {}

impl DatabaseError for Told {
    fn message(&self) -> &str {
        self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.into())
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

fn shown<DB: Described>(code: &'static str, message: &'static str) -> String {
    let told = Told { code, message };
    let text = text_of::<DB>(&told.to_string(), &told);
    text.strip_prefix(&format!("({code}) ")).unwrap().to_owned()
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_shows_names_and_no_values() {
    for (code, message, expected) in [
        (
            "42P01",
            "relation \"items\" does not exist",
            "relation \"items\" does not exist",
        ),
        (
            "42P07",
            "relation \"items\" already exists",
            "relation \"items\" already exists",
        ),
        (
            "3D000",
            "database \"shop\" does not exist",
            "database \"shop\" does not exist",
        ),
        (
            "28P01",
            "password authentication failed for user \"bob\"",
            "password authentication failed for user \"bob\"",
        ),
        (
            "42703",
            "column \"hunter2\" does not exist",
            "column … does not exist",
        ),
        (
            "42601",
            "syntax error at or near \"hunter2\"",
            "syntax error at or near …",
        ),
        (
            "42601",
            "unterminated quoted string at or near \"'hun\"ter2\"",
            "unterminated quoted string at or near …",
        ),
        (
            "42601",
            "unrecognized role option \"hunter2\"",
            "unrecognized role option …",
        ),
        (
            "22P02",
            "invalid input syntax for type integer: \"hun\"ter2\"",
            "invalid input syntax for type integer: …",
        ),
        (
            "22P02",
            "invalid input value for enum mood: \"hunter2\"",
            "invalid input value for enum mood: …",
        ),
        (
            "22003",
            "value \"424242\" is out of range for type integer",
            "value … is out of range for type integer",
        ),
        (
            "22001",
            "value too long for type character varying(20)",
            "value too long for type character varying(20)",
        ),
        ("P0001", "bad pin 424242 of 'hunter2'", "bad pin … of …"),
        (
            "42704",
            "type \"hunter2\" does not exist",
            "type … does not exist",
        ),
        (
            "23505",
            "duplicate key value violates unique constraint \"hunter2\"",
            "duplicate key value violates unique constraint …",
        ),
        (
            "08P01",
            "bind message supplies 1 parameters",
            "bind message supplies … parameters",
        ),
    ] {
        assert_eq!(shown::<sqlx::Postgres>(code, message), expected);
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_shows_names_and_no_values() {
    for (code, message, expected) in [
        ("1", "no such table: items", "no such table: items"),
        (
            "2067",
            "UNIQUE constraint failed: users.email",
            "UNIQUE constraint failed: users.email",
        ),
        (
            "1299",
            "NOT NULL constraint failed: users.email",
            "NOT NULL constraint failed: users.email",
        ),
        ("5", "database is locked", "database is locked"),
        ("1", "no such column: hunter2", "no such column: …"),
        (
            "1",
            "no such column: \"hunter2\" - should this be a string literal in single-quotes?",
            "no such column: … - should this be a string literal in single-quotes?",
        ),
        (
            "1",
            "near \"hunter2\": syntax error",
            "near …: syntax error",
        ),
        (
            "1",
            "unrecognized token: \"'hunter2\"",
            "unrecognized token: …",
        ),
        (
            "1",
            "no such collation sequence: hunter2",
            "no such collation sequence: …",
        ),
        (
            "1",
            "malformed JSON path: 'hunter2'",
            "malformed JSON path: …",
        ),
    ] {
        assert_eq!(shown::<sqlx_sqlite::Sqlite>(code, message), expected);
    }
}

#[cfg(feature = "mysql")]
#[test]
fn mysql_shows_the_place_of_a_value() {
    for (message, expected) in [
        (
            "Duplicate entry 'a' for key 'b' for key 'name'",
            "Duplicate entry … for key 'name'",
        ),
        (
            "Incorrect integer value: 'a' for column `d`.`t`.`n` at row 1",
            "Incorrect integer value: … for column `d`.`t`.`n` at row 1",
        ),
        (
            "Unknown column 'hunter2' in 'where clause'",
            "Unknown column …",
        ),
        (
            "You have an error in your SQL syntax; check the manual for the right syntax to use near ''hunter2'' at line 1",
            "You have an error in your SQL syntax; check the manual for the right syntax to use near … at line 1",
        ),
        (
            "Truncated incorrect DOUBLE value: 'hunter2'",
            "Truncated incorrect DOUBLE value: …",
        ),
        (
            "Incorrect TIME value: 'hun'ter2'",
            "Incorrect TIME value: …",
        ),
        ("Out of range: 424242", "Out of range: …"),
    ] {
        assert_eq!(shown::<sqlx::MySql>("42000", message), expected);
    }
}
