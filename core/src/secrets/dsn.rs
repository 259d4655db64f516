//! Connection strings without their passwords.

use super::address::{Address, split_at_any};
use super::key::is_secret_or_password;
use super::matcher::Matcher;
use super::scan::{Form, scan};
use super::{REDACTED, REDACTED_USER};

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
    let is_secret = |key: &str| is_secret_or_password(matcher, key);
    if let Some(at) = end_of_scheme(dsn) {
        let (prefix, rest) = dsn.split_at_checked(at).unwrap_or((dsn, ""));
        let address = Address::cut("", rest, &['/', '?', '#', ';']);
        out.push_str(prefix);
        let in_path = last_at(address.rest, &['?', ';']);
        if address.user || in_path.is_some() {
            out.push_str(REDACTED_USER);
        }
        let behind = match in_path {
            Some(at) => address.rest.get(at + 1..).unwrap_or_default(),
            None => {
                out.push_str(address.host);
                address.rest
            }
        };
        scan(&is_secret, behind, Form::Query, out);
    } else if let Some(form) = form_of_pairs(dsn) {
        scan(&is_secret, dsn, form, out);
    } else {
        match last_at(dsn, &['?']).or_else(|| dsn.rfind('@')) {
            Some(at) => {
                out.push_str(REDACTED_USER);
                scan(
                    &is_secret,
                    dsn.get(at + 1..).unwrap_or_default(),
                    Form::Query,
                    out,
                );
            }
            None => scan(&is_secret, dsn, Form::Query, out),
        }
    }
}

/// The last `@` before the parameters, which begin at one of `stops`. With
/// another URL in front of them, the last of all: it may be that URL's.
fn last_at(text: &str, stops: &[char]) -> Option<usize> {
    let (before, _) = split_at_any(text, stops);
    let text = if before.contains("://") { text } else { before };
    text.rfind('@')
}

/// Behind the `://` of `postgres://`, `jdbc:mysql://` and the like.
fn end_of_scheme(dsn: &str) -> Option<usize> {
    let at = dsn.find("://")?;
    let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | ':');
    let scheme = dsn.get(..at)?;
    (!scheme.is_empty() && scheme.chars().all(is_scheme_char)).then_some(at + 3)
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
