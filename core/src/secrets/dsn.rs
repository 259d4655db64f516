//! Connection strings without their passwords.

use crate::secrets::address::Address;
use crate::secrets::key::Keys;
use crate::secrets::matcher::Matcher;
use crate::secrets::placeholder::REDACTED_USER;
use crate::secrets::scan::{Form, scan};
use crate::secrets::search::{last, split_at_any};
use crate::secrets::settled::settled;

/// Writes a connection string. Passwords are secret to every matcher here.
///
/// | form | what is replaced |
/// | --- | --- |
/// | `postgres://user:pw@host/db?password=x` | user and password, parameters with a secret key |
/// | `Server=a;Uid=b;Pwd=c`, `host=a password='b c'` | values with a secret key |
/// | `user:pw@tcp(host:3306)/db`, `:pw@host:6379`, `user/pw@tns` | user and password |
///
/// User information goes up to the last `@` before the parameters, for `@` is
/// common in passwords and rare in the names of databases.
pub(crate) fn dsn(matcher: &Matcher, dsn: &str, out: &mut String) {
    settled(|dsn, out| write(matcher, dsn, out), dsn, out);
}

fn write(matcher: &Matcher, dsn: &str, out: &mut String) {
    let keys = Keys::and_passwords(matcher);
    if let Some(form) = form_of_pairs(dsn) {
        scan(keys, dsn, form, out);
        return;
    }
    let (scheme, rest) = split_scheme(dsn);
    out.push_str(scheme);
    let user = if rest.starts_with(REDACTED_USER) {
        REDACTED_USER.len()
    } else if scheme.is_empty() {
        let (before, _) = split_at_any(rest, &['?']);
        match behind_last_at(before) {
            0 => behind_last_at(rest),
            length => length,
        }
    } else {
        user_of_uri(rest)
    };
    if user > 0 {
        out.push_str(REDACTED_USER);
    }
    let rest = rest.get(user..).unwrap_or_default();
    scan(keys, rest, Form::Query, out);
}

/// Cuts behind the `://` of `postgres://`, `jdbc:mysql://` and the like.
fn split_scheme(dsn: &str) -> (&str, &str) {
    let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | ':');
    match dsn.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(is_scheme_char) => {
            let (scheme, _) = dsn.split_at(dsn.len() - rest.len());
            (scheme, rest)
        }
        _ => ("", dsn),
    }
}

/// The length of the user information at the front of `user:pw@host/db?x=y`.
fn user_of_uri(rest: &str) -> usize {
    let address = Address::cut("", rest, last(rest, '@'), &['/', '?', '#', ';']);
    let tail = address.rest.len();
    let (path, _) = split_at_any(address.rest, &['?', ';']);
    match behind_last_at(path) {
        0 if address.user => rest.len() - tail - address.host.len(),
        0 => 0,
        length => rest.len() - tail + length,
    }
}

/// The length of `text` up to its last `@`; 0 if there is none.
fn behind_last_at(text: &str) -> usize {
    last(text, '@').map_or(0, |at| at + 1)
}

/// How the pairs are separated, if `dsn` begins with one: by semicolons, or by
/// blanks where the next pair stands behind a blank.
fn form_of_pairs(dsn: &str) -> Option<Form> {
    let (key, value) = dsn.split_once('=')?;
    let is_key_char = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.');
    if key.trim().is_empty() || !key.chars().all(is_key_char) {
        return None;
    }
    let value = value.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let value = match quote {
        Some(quote) => value
            .get(1..)
            .and_then(|v| v.split_once(quote))
            .map_or("", |(_, b)| b),
        None => value,
    };
    let (head, next) = match value.split_once('=') {
        Some((head, _)) => (head.trim_end(), true),
        None => (value, false),
    };
    if head.contains(';') || !next || !head.contains(char::is_whitespace) {
        return Some(Form::Semicolons);
    }
    Some(Form::Spaces)
}
