//! Where the parts of an answer end.

use crate::pipeline::host_agent::http::{Fault, Stage};

/// The longest value of a header that is kept, in bytes.
const MAX_VALUE: usize = 64;

/// How an answer's body ends, and whether another one may follow it.
pub(super) struct Framing {
    pub(super) stage: Stage,
    pub(super) keep_alive: bool,
}

impl Framing {
    /// RFC 9112, section 6.3, for an answer that may have a body.
    pub(super) fn of(http_1_1: bool, headers: &[httparse::Header<'_>]) -> Result<Self, Fault> {
        let mut length = None;
        let mut chunked = None;
        let mut keep_alive = http_1_1;
        for header in headers {
            let is = |name| header.name.eq_ignore_ascii_case(name);
            let mut words = header
                .value
                .split(|byte| *byte == b',')
                .map(<[u8]>::trim_ascii);
            if is("content-length") {
                for word in words {
                    let number = parse_length(word)?;
                    if length.is_some_and(|known| known != number) {
                        return Err(Fault::Malformed("two different lengths"));
                    }
                    length = Some(number);
                }
            } else if is("transfer-encoding") {
                let last = words.next_back();
                chunked = last.map(|word| word.eq_ignore_ascii_case(b"chunked"));
            } else if is("connection") {
                for word in words {
                    if word.eq_ignore_ascii_case(b"close") {
                        keep_alive = false;
                    } else if word.eq_ignore_ascii_case(b"keep-alive") && !http_1_1 {
                        keep_alive = true;
                    }
                }
            }
        }
        // Both a length and a coding: the coding wins, the connection is suspect.
        keep_alive &= chunked.is_none() || length.is_none();
        let stage = match (chunked, length) {
            (Some(true), _) => Stage::ChunkSize,
            (Some(false), _) | (None, None) => Stage::UntilClose,
            (None, Some(length)) => Stage::Length(length),
        };
        Ok(Self { stage, keep_alive })
    }
}

/// The value of a header, for people and for comparing: short, in lower case.
pub(super) fn value(headers: &[httparse::Header<'_>], name: &str) -> String {
    let header = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case(name));
    let value = header.map_or(&[][..], |header| header.value);
    let value = value.get(..MAX_VALUE).unwrap_or(value);
    String::from_utf8_lossy(value).trim().to_ascii_lowercase()
}

pub(super) fn has_blank_line(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        // What is behind the last line break is not a line yet.
        if lines.peek().is_some() && (line.is_empty() || line == b"\r") {
            return true;
        }
    }
    false
}

fn parse_length(word: &[u8]) -> Result<usize, Fault> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Malformed("the length is not a number"));
    }
    let add = |length: usize, digit: &u8| {
        length
            .checked_mul(10)?
            .checked_add(usize::from(digit - b'0'))
    };
    word.iter().try_fold(0, add).ok_or(Fault::TooLarge)
}
