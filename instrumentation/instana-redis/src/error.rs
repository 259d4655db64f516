//! The text of an error, which never has a key, a value or a password.

use std::fmt;

use instana::Span;
use instana::span::{Failure, without_values};
use redis::{ErrorKind, RedisError, ServerError};

use crate::command::Name;

/// The longest text that counts as a code, in bytes.
const LONGEST_CODE: usize = 32;

/// Records the error of a call.
#[cold]
pub(crate) fn record(span: &mut Span, name: &Name, error: &RedisError) {
    match error.clone().into_server_errors() {
        Some(errors) => {
            if let Some((_, first)) = errors.first() {
                record_server_error(span, name, first);
            }
            span.error_count(count(errors.len()));
        }
        None => span.record_error(Failure::display(&Other { error, name })),
    }
    span.mark_erroneous();
}

/// Records an error of the server.
#[cold]
pub(crate) fn record_server_error(span: &mut Span, name: &Name, error: &ServerError) {
    span.record_error(Failure::display(&Server { error, name }));
}

/// As many errors as a span can have.
pub(crate) fn count(errors: usize) -> u16 {
    u16::try_from(errors).unwrap_or(u16::MAX)
}

/// An error of the server: its code, and its text as far as that is the server's own.
struct Server<'a> {
    error: &'a ServerError,
    name: &'a Name,
}

impl fmt::Display for Server<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(code(self.error.code()))?;
        if self.name.is_of_module() {
            return f.write_str(" from a module");
        }
        if is_script(self.name) && self.error.kind() != Some(redis::ServerErrorKind::NoScript) {
            return f.write_str(" from a script");
        }
        match self.error.details() {
            Some(details) => {
                let (details, rest) = before_colon(details);
                f.write_str(" ")?;
                if matches!(self.error.code(), "ASK" | "MOVED") {
                    // A slot and an address.
                    return f.write_str(details);
                }
                match own_words(f, details, self.name)? {
                    true => f.write_str(rest),
                    false => Ok(()),
                }
            }
            None => Ok(()),
        }
    }
}

/// An error of the crate redis, or one that it passed on.
struct Other<'a> {
    error: &'a RedisError,
    name: &'a Name,
}

impl fmt::Display for Other<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error.kind() {
            // Their texts show the input that could not be parsed.
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
                f.write_str(self.error.category())
            }
            ErrorKind::Io => self.error.fmt(f),
            _ => own_words(f, &self.error.to_string(), self.name).map(drop),
        }
    }
}

fn code(code: &str) -> &str {
    let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if code.len() <= LONGEST_CODE && code.bytes().all(is_code) {
        code
    } else {
        "error"
    }
}

/// Errors of scripts may have any text.
fn is_script(name: &Name) -> bool {
    matches!(
        name.as_bytes(),
        b"eval" | b"evalsha" | b"eval_ro" | b"evalsha_ro" | b"fcall" | b"fcall_ro"
    )
}

/// Writes `text` up to the first value in it: quoted text that is not the command's name,
/// text behind `near`, and numbers. The server quotes from the command, and often at the end
/// of the text. Returns `true` if all of `text` was written.
fn own_words(f: &mut fmt::Formatter<'_>, text: &str, name: &Name) -> Result<bool, fmt::Error> {
    let is_name = |_: &str, word: &str| word.eq_ignore_ascii_case(name.as_str());
    let shown = without_values(text, is_name);
    match shown.split_once('…') {
        Some((words, _)) => write!(f, "{words}…").map(|()| false),
        None => f.write_str(&shown).map(|()| true),
    }
}

/// `text` up to its first colon: the rest may be an argument.
fn before_colon(text: &str) -> (&str, &str) {
    match text.find(": ") {
        Some(colon) => (text.get(..=colon).unwrap_or_default(), " …"),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::Value;

    fn shown(command: &str, line: &str) -> String {
        let bytes = format!("-{line}\r\n");
        let Ok(Value::ServerError(error)) = redis::parse_redis_value(bytes.as_bytes()) else {
            unreachable!("{line}")
        };
        let name = &Name::from(command.as_bytes());
        let error = &error;
        Server { error, name }.to_string()
    }

    #[test]
    fn the_server_s_own_words_stay() {
        for (command, line, expected) in [
            (
                "get",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "get",
                "MOVED 3999 127.0.0.1:6381",
                "MOVED 3999 127.0.0.1:6381",
            ),
            (
                "get",
                "NOAUTH Authentication required.",
                "NOAUTH Authentication required.",
            ),
            (
                "set",
                "READONLY You can't write against a read only replica.",
                "READONLY You can't write against a read only replica.",
            ),
            (
                "get",
                "ERR wrong number of arguments for 'get' command",
                "ERR wrong number of arguments for 'get' command",
            ),
            ("get", "ERR", "ERR"),
            (
                "foo",
                "ERR unknown command 'FOO', with args beginning with: 'geheim' 'x' ",
                "ERR unknown command 'FOO', with args beginning with: …",
            ),
            (
                "unknown",
                "ERR unknown command 'geheim x', with args beginning with: 'geheim",
                "ERR unknown command …",
            ),
            (
                "config",
                "ERR Unsupported CONFIG parameter: geheim",
                "ERR Unsupported CONFIG parameter: …",
            ),
            (
                "xreadgroup",
                "NOGROUP No such key 'geheim' or consumer group 'g' in XREADGROUP",
                "NOGROUP No such key …",
            ),
            (
                "acl",
                "ERR Error in ACL SETUSER modifier '>geheim': Syntax",
                "ERR Error in ACL SETUSER modifier …",
            ),
            (
                "get",
                "ERR a \"get\" and a `geheim`",
                "ERR a \"get\" and a …",
            ),
            ("get", "ERR ends with 'get", "ERR ends with …"),
            ("get", "ERR the value is 424242", "ERR the value is …"),
            (
                "get",
                "ERR syntax error near geheim",
                "ERR syntax error near …",
            ),
            ("get", "ERR no “geheim”", "ERR no …"),
            (
                "evalsha",
                "ERR geheim script: x, on @user_script:1.",
                "ERR from a script",
            ),
            ("evalsha", "geheim x", "error from a script"),
            ("eval", "GEHEIM x", "GEHEIM from a script"),
            (
                "evalsha",
                "NOSCRIPT No matching script. Please use EVAL.",
                "NOSCRIPT No matching script. Please use EVAL.",
            ),
            (
                "ft.search",
                "ERR Syntax error at offset 1 near geheim",
                "ERR from a module",
            ),
        ] {
            assert_eq!(shown(command, line), expected);
        }
    }

    #[test]
    fn errors_of_the_client_show_no_values() {
        let parse = RedisError::from((ErrorKind::Parse, "no int", "geheim".to_owned()));
        let other = RedisError::from((ErrorKind::Client, "not possible", "'geheim'".to_owned()));
        let io = RedisError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        for (error, expected) in [
            (parse, "parse error"),
            (other, "not possible - Client: …"),
            (io, "broken pipe"),
        ] {
            let (error, name) = (&error, &Name::CONNECT);
            assert_eq!(Other { error, name }.to_string(), expected);
        }
    }
}
