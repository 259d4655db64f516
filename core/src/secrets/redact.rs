//! Query strings, URLs, paths, texts and headers without their secrets.

use crate::secrets::address::Address;
use crate::secrets::key::{Keys, is_secret_or_password};
use crate::secrets::matcher::Matcher;
use crate::secrets::nested::{has_secret, may_be_encoded, without_encoded};
use crate::secrets::placeholder::{REDACTED, REDACTED_USER};
use crate::secrets::quoted::without_database_values;
use crate::secrets::scan::{Form, scan};
use crate::secrets::search::{last, split_at_any};
use crate::secrets::settled::settled;
use crate::secrets::word::Word;

/// Headers of credentials.
const CREDENTIAL_HEADERS: [&str; 2] = ["authorization", "proxy-authorization"];

/// Headers of pairs that are separated by semicolons only.
const COOKIE_HEADERS: [&str; 2] = ["cookie", "set-cookie"];

/// Writes a query string for `data.http.params`: order and text stay, the
/// value behind each secret key is replaced. Leading `?` and a fragment are
/// left out.
///
/// `;` and `?` separate too, for servers that read it so and for URLs within
/// a query. What follows a secret value behind one of these and is no pair of
/// its own counts as part of the value. A value in which a secret stands (a URL,
/// a query or JSON, also encoded) is replaced as a whole.
pub(crate) fn query(matcher: &Matcher, query: &str, out: &mut String) {
    let (query, _) = split_at_any(query, &['#']);
    let query = query.trim_start_matches('?');
    let write = |query: &str, out: &mut String| pairs(matcher, query, '&', [';', '?'], out);
    settled(write, query, out);
}

/// Writes a URL for `data.http.url`: user information is replaced, query and
/// fragment are left out, matrix parameters are treated as in [`path`].
pub(crate) fn url(matcher: &Matcher, url: &str, out: &mut String) {
    settled(|url, out| address(matcher, url, out), url, out);
}

fn address(matcher: &Matcher, url: &str, out: &mut String) {
    let address = split_prefix(url);
    out.push_str(address.prefix);
    if address.user {
        out.push_str(REDACTED_USER);
    }
    out.push_str(address.host);
    segments(matcher, address.rest, out);
}

/// Writes a path: the value of a matrix parameter (`/a;key=value/b`) with a
/// secret key is replaced, query and fragment are left out.
pub(crate) fn path(matcher: &Matcher, path: &str, out: &mut String) {
    let write = |path: &str, out: &mut String| {
        if path.contains('@') && is_url(path) {
            address(matcher, path, out);
        } else {
            segments(matcher, path, out);
        }
    };
    settled(write, path, out);
}

fn is_url(text: &str) -> bool {
    match text.split_once("://") {
        Some((scheme, _)) => scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        None => text.starts_with("//"),
    }
}

fn segments(matcher: &Matcher, path: &str, out: &mut String) {
    let (path, _) = split_at_any(path, &['?', '#']);
    let write = |path: &str, out: &mut String| pairs(matcher, path, '/', [';', '&'], out);
    settled(write, path, out);
}

/// Writes free text, such as an error's: in each URL in it the user
/// information is replaced, and everywhere the value behind a secret key, as
/// in `key=value` and `key: value`. Passwords are secret to every matcher here.
pub(crate) fn text(matcher: &Matcher, text: &str, out: &mut String) {
    free(matcher, text, Form::Text, out);
}

/// Writes a line of a log and the like: as [`text`], and without what a database quotes in
/// an error that is passed on in it.
pub(crate) fn message(matcher: &Matcher, message: &str, out: &mut String) {
    text(matcher, &without_database_values(message), out);
}

/// Writes the value of the captured header `name`. The value of a secret name
/// and credentials are replaced as a whole, any other value is free text.
pub(crate) fn header(matcher: &Matcher, name: &str, value: &str, out: &mut String) {
    if is_credential(name.as_bytes()) || is_secret_or_password(matcher, name) {
        out.push_str(REDACTED);
        return;
    }
    let form = if is_one_of(&COOKIE_HEADERS, name.as_bytes()) {
        Form::Semicolons
    } else {
        Form::Text
    };
    free(matcher, value, form, out);
}

fn free(matcher: &Matcher, text: &str, form: Form, out: &mut String) {
    let keys = Keys::and_passwords(matcher);
    let write = |text: &str, out: &mut String| {
        let may_be_json = form == Form::Semicolons && text.contains(['"', '\'', ':']);
        if !may_be_json && !may_be_encoded(text) {
            return scan(keys, text, form, out);
        }
        let mut scanned = String::with_capacity(text.len());
        scan(keys, text, form, &mut scanned);
        if may_be_json {
            let pairs = std::mem::take(&mut scanned);
            scan(keys, &pairs, Form::Text, &mut scanned);
        }
        without_encoded(matcher, &scanned, out);
    };
    settled(write, text, out);
}

/// Whether the value of what has this name, such as a tag, is hidden as a whole.
pub(crate) fn is_secret_name(matcher: &Matcher, name: &str) -> bool {
    let may_be = !name.is_ascii() || matcher.may_match_in(name.as_bytes());
    (may_be || name.contains(['%', '\\'])) && is_secret_or_password(matcher, name)
        || is_credential(name.as_bytes())
}

/// False where [`text`] would hide nothing: no secret has a place in `text`.
pub(crate) fn may_hold_secret(matcher: &Matcher, text: &str) -> bool {
    let has_pair = || text.contains([':', '=', ',']);
    let may_match = || {
        !text.is_ascii() || matcher.may_match_in(text.as_bytes()) || text.contains(['@', '%', '\\'])
    };
    (has_pair() || may_be_encoded(text)) && may_match()
}

/// True for headers whose values are credentials whatever the matcher says, and for tags that
/// end with such a name: `http.request.header.authorization`.
pub(crate) fn is_credential(name: &[u8]) -> bool {
    let last = name.rsplit(|byte| *byte == b'.').next();
    is_one_of(&CREDENTIAL_HEADERS, last.unwrap_or(name))
}

fn is_one_of(names: &[&str], name: &[u8]) -> bool {
    let is_name = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
    names.iter().any(is_name)
}

/// Finds the address in `https://host/path`, `//host/path`, `host:port` and
/// `host/path`; a path alone has none.
fn split_prefix(url: &str) -> Address<'_> {
    let behind = match url.find("://") {
        Some(at) if !url.get(..at).unwrap_or_default().contains(['/', '?', '#']) => at + 3,
        _ if url.starts_with("//") => 2,
        _ => 0,
    };
    let (prefix, rest) = url.split_at_checked(behind).unwrap_or(("", url));
    Address::cut(prefix, rest, last(rest, '@'), &['/', '?', '#'])
}

/// Copies `text`, in which pairs stand between `hard` and `soft` separators,
/// without the values of secret keys. A piece that is no pair and follows a
/// secret value behind a soft separator belongs to that value.
fn pairs(matcher: &Matcher, text: &str, hard: char, soft: [char; 2], out: &mut String) {
    let [first, second] = soft;
    let is_query = hard == '&';
    let keys = Keys::of(matcher);
    let mut word = Word::new(text, &['&']);
    let mut within_secret = false;
    let mut start = 0;
    let mut separator = "";
    loop {
        let rest = text.get(start..).unwrap_or_default();
        let (piece, _) = split_at_any(rest, &[hard, first, second]);
        // A password in a URL may have separators in it.
        let piece = if is_query && piece.contains("://") {
            let user = word.last_at(start).map_or(0, |at| at + 1 - start);
            let (_, host) = rest.split_at_checked(user).unwrap_or_default();
            let (host, _) = split_at_any(host, &[hard, first, second]);
            rest.get(..user + host.len()).unwrap_or(rest)
        } else {
            piece
        };
        let key = piece.split_once('=').map(|(key, _)| key);
        let is_rest = key.is_none() && within_secret && separator.starts_with(soft);
        if !is_rest {
            within_secret = key.is_some_and(|key| keys.is_secret(key, is_query))
                || ((is_query || key.is_some()) && has_secret(matcher, piece));
            out.push_str(separator);
            if within_secret {
                hidden(matcher, key, out);
            } else {
                out.push_str(piece);
            }
        }
        // The separators are ASCII, one byte long.
        let end = start + piece.len();
        separator = match text.get(end..=end) {
            Some(next) => next,
            None => return,
        };
        start = end + 1;
    }
}

/// Writes a piece that is secret: its key, unless a secret stands in that.
fn hidden(matcher: &Matcher, key: Option<&str>, out: &mut String) {
    if let Some(key) = key.filter(|key| !has_secret(matcher, key)) {
        out.push_str(key);
        out.push('=');
    }
    out.push_str(REDACTED);
}
