//! An HTTP/1.1 answer, read from bytes that arrive bit by bit.

use std::time::Duration;

use super::failure::Failure;

/// Longer answers are broken.
const MAX_ANSWER: usize = 1024 * 1024;
const MAX_HEADERS: usize = 64;
/// A head of an HTTP/2 frame.
const TELLING: usize = 9;

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) date: Option<String>,
    pub(super) location: Option<String>,
    pub(super) server: Option<String>,
    pub(super) body: Vec<u8>,
    /// From before connecting to the last byte.
    pub(super) took: Duration,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The state of an answer after the bytes so far.
pub(super) enum Progress {
    Done(Answer),
    More,
}

/// Reads an answer; `closed` when no more bytes come.
pub(super) fn read(bytes: &[u8], head_only: bool, closed: bool) -> Result<Progress, Failure> {
    if bytes.len() > MAX_ANSWER {
        return Err(Failure::Broken("an answer above 1 MiB"));
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return incomplete(bytes, closed),
        // The first bytes alone do not identify the server.
        Err(_) if bytes.len() < TELLING && !closed => return Ok(Progress::More),
        Err(_) => return Err(foreign(bytes)),
    };
    let rest = bytes.get(length..).unwrap_or_default();
    let status = head.code.unwrap_or_default();
    if (100..200).contains(&status) {
        return read(rest, head_only, closed);
    }
    let text = |name: &str| {
        let mut found = head.headers.iter();
        let found = found.find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(found.value).trim().to_owned())
    };
    let mut answer = Answer {
        status,
        date: text("date"),
        location: text("location"),
        server: text("server"),
        ..Answer::default()
    };
    if head_only || matches!(status, 204 | 304) {
        return Ok(Progress::Done(answer));
    }
    let chunked = text("transfer-encoding")
        .is_some_and(|coding| coding.to_ascii_lowercase().ends_with("chunked"));
    let body = match (chunked, text("content-length")) {
        (true, _) => chunks(rest)?,
        (false, Some(wanted)) => {
            let wanted: usize = wanted
                .parse()
                .map_err(|_| Failure::Broken("a Content-Length that is no number"))?;
            rest.get(..wanted).map(<[u8]>::to_vec)
        }
        (false, None) => closed.then(|| rest.to_vec()),
    };
    match body {
        Some(body) => {
            answer.body = body;
            Ok(Progress::Done(answer))
        }
        None if closed => Err(Failure::Broken("the answer is cut off")),
        None => Ok(Progress::More),
    }
}

fn incomplete(bytes: &[u8], closed: bool) -> Result<Progress, Failure> {
    match bytes {
        _ if !closed => Ok(Progress::More),
        [] => Err(Failure::Closed),
        _ if bytes.starts_with(b"HTTP/1.") => Err(Failure::Broken("the answer is cut off")),
        _ => Err(foreign(bytes)),
    }
}

/// The protocol of these bytes, if it is not HTTP/1.1.
pub(super) fn foreign(bytes: &[u8]) -> Failure {
    match bytes {
        // An alert or a handshake, of SSL 3.0 to TLS 1.3.
        [0x15 | 0x16, 0x03, ..] => Failure::Tls,
        // A SETTINGS or GOAWAY frame on stream 0.
        [_, _, _, 0x04 | 0x07, _, 0, 0, 0, 0, ..] => Failure::Http2,
        _ if bytes.starts_with(b"HTTP/1.") => {
            Failure::Broken("the answer breaks the rules of HTTP")
        }
        _ => Failure::NotHttp(bytes.to_vec()),
    }
}

/// The decoded chunks; `None` while the last one is missing.
fn chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let broken = || Failure::Broken("a chunk that breaks the rules of HTTP");
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(broken()),
        };
        if size == 0 {
            return Ok(Some(body));
        }
        let size = usize::try_from(size).map_err(|_| broken())?;
        let end = start.checked_add(size).ok_or_else(broken)?;
        let Some(chunk) = rest.get(start..end) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        let Some(after) = end.checked_add(2).and_then(|next| rest.get(next..)) else {
            return Ok(None);
        };
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<Option<Answer>, Failure> {
        match read(text.as_bytes(), false, true)? {
            Progress::Done(answer) => Ok(Some(answer)),
            Progress::More => Ok(None),
        }
    }

    fn body(text: &str) -> String {
        String::from_utf8(whole(text).unwrap().unwrap().body).unwrap()
    }

    #[test]
    fn bodies() {
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}x"),
            "{}"
        );
        assert_eq!(
            body("HTTP/1.0 200 OK\r\n\r\nuntil the end"),
            "until the end"
        );
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(body(chunked), "abcde");
        let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nDate: x\r\n\r\n";
        let answer = whole(early).unwrap().unwrap();
        assert_eq!((answer.status, answer.date.as_deref()), (204, Some("x")));
    }

    #[test]
    fn every_part_of_an_answer_asks_for_more() {
        let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let last = text.len() - 2; // the end of the (empty) trailer may be missing
        for end in 0..last {
            let progress = read(&text[..end], false, false).unwrap();
            assert!(matches!(progress, Progress::More), "{end}");
            assert!(read(&text[..end], false, true).is_err(), "{end}");
        }
    }

    #[test]
    fn what_is_no_answer() {
        assert!(matches!(whole(""), Err(Failure::Closed)));
        assert!(matches!(whole("HTTP/1.1 200"), Err(Failure::Broken(_))));
        assert!(matches!(whole("SSH-2.0-x\r\n"), Err(Failure::NotHttp(_))));
        assert!(matches!(whole("-ERR unknown"), Err(Failure::NotHttp(_))));
        assert!(matches!(foreign(&[0x15, 3, 1, 0, 2]), Failure::Tls));
        let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3];
        assert!(matches!(foreign(&settings), Failure::Http2));
        let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(MAX_ANSWER));
        assert!(matches!(whole(&large), Err(Failure::Broken(_))));
    }
}
