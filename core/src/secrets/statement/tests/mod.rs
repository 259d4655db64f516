//! Statements: what is shown of them, by the language of their server.

mod hidden;
mod planted;
mod properties;
mod shown;

use crate::secrets::statement::Dialect::{Generic, MySql, Postgres, Sqlite};
use crate::secrets::statement::*;

const ALL: [Dialect; 4] = [Generic, MySql, Postgres, Sqlite];

fn shown_by(matcher: &str, dialect: Dialect, text: &str) -> String {
    let matcher = Matcher::parse(matcher, &mut Vec::new()).unwrap();
    let mut out = String::new();
    statement(&matcher, dialect, text, false, &mut out);
    out
}

fn shown(dialect: Dialect, text: &str) -> String {
    shown_by("contains-ignore-case:key,pass,secret", dialect, text)
}
