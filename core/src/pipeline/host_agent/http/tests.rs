use crate::pipeline::host_agent::http::*;

/// What an answer decodes to: status, body, reusable.
type Decoded = Result<(u16, String, bool), Fault>;

/// Feeds `answer` in parts of `step` bytes, then closes.
fn decode(method: Method, answer: &[u8], step: usize) -> Decoded {
    let mut decoder = Decoder::new(method, 64);
    let mut complete = false;
    for part in answer.chunks(step) {
        complete = decoder.feed(part)?;
    }
    if !complete {
        decoder.end()?;
    }
    let (response, reusable) = decoder.finish();
    let body = String::from_utf8_lossy(&response.body).into_owned();
    Ok((response.status, body, reusable))
}

fn good(status: u16, body: &str, reusable: bool) -> Decoded {
    Ok((status, body.to_owned(), reusable))
}

#[test]
fn answers_in_any_pieces() {
    let malformed = |what| Err(Fault::Malformed(what));
    let long = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n{}",
        "x".repeat(65)
    );
    let long_chunk = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n{}",
        "x".repeat(65)
    );
    let long_rest = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(65));
    let full = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n{}",
        "x".repeat(64)
    );
    #[rustfmt::skip]
    let table: Vec<(Method, &str, Decoded)> = vec![
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", good(200, "hi", true)),
        (Method::Get, &full, good(200, &"x".repeat(64), true)),
        (Method::Get, "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nhi", good(200, "hi", true)),
        (Method::Post, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", good(200, "", true)),
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nhi", good(200, "hi", false)),
        (Method::Get, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", good(200, "hi", false)),
        (Method::Get, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", good(200, "hi", true)),
        (Method::Get, "HTTP/1.1 200 OK\r\n\r\nuntil the end", good(200, "until the end", false)),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nodd", good(200, "odd", false)),
        (Method::Get, "HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", good(301, "", true)),
        (Method::Head, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", good(200, "", true)),
        (Method::Head, "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n", good(200, "", false)),
        (Method::Head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", good(200, "", false)),
        (Method::Head, "HTTP/1.1 404 Not Found\r\n\r\n", good(404, "", true)),
        (Method::Post, "HTTP/1.1 204 No Content\r\n\r\n", good(204, "", true)),
        (Method::Post, "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", good(204, "", false)),
        (Method::Get, "HTTP/1.1 304 Not Modified\r\n\r\n", good(304, "", true)),
        (Method::Post, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", good(200, "x", true)),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nA;ext=1\r\n0123456789\r\n0\r\n\r\n", good(200, "hi0123456789", true)),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", good(200, "", true)),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n2\r\nhi\r\n0\r\n\r\n", good(200, "hi", false)),
        // Broken ones.
        (Method::Get, "", Err(Fault::Truncated)),
        (Method::Get, "HTTP/1.1 200 OK\r\n", Err(Fault::Truncated)),
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", Err(Fault::Truncated)),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", Err(Fault::Truncated)),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", Err(Fault::Truncated)),
        (Method::Get, "HTTP/1.1 100 Continue\r\n\r\n", Err(Fault::Truncated)),
        (Method::Get, "SSH-2.0-OpenSSH_9.6\r\n", malformed("the answer is not HTTP")),
        (Method::Get, "\u{15}\u{3}\u{3}\u{0}\u{2}", malformed("the answer is not HTTP")),
        (Method::Get, "HTTP/2 200\r\n\r\n", malformed("the answer is not HTTP")),
        (Method::Get, "HTTP/1.1 20x OK\r\n\r\n", malformed("the answer is not HTTP")),
        (Method::Get, "HTTP/1.1 101 Switch\r\n\r\n", malformed("the answer switches protocols")),
        (Method::Get, "HTTP/1.1 000 Zero\r\n\r\n", malformed("no such status code")),
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", malformed("the length is not a number")),
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", malformed("the length is not a number")),
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", malformed("two different lengths")),
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", Err(Fault::TooLarge)),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", malformed("a chunk without a size")),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhix\r\n", malformed("a chunk is longer than its size")),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", Err(Fault::TooLarge)),
        (Method::Get, &long, Err(Fault::TooLarge)),
        (Method::Get, &long_chunk, Err(Fault::TooLarge)),
        (Method::Get, &long_rest, Err(Fault::TooLarge)),
    ];
    for (method, answer, expected) in table {
        for step in [1, 2, 7, 4096] {
            assert_eq!(
                decode(method, answer.as_bytes(), step),
                expected,
                "{answer:?} by {step}"
            );
        }
    }
}

#[test]
fn endless_parts_are_faults() {
    let header = format!("HTTP/1.1 200 OK\r\nA: {}", "a".repeat(MAX_HEAD));
    let headers = format!(
        "HTTP/1.1 200 OK\r\n{}\r\n",
        "A: b\r\n".repeat(MAX_HEADERS + 1)
    );
    let chunk = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}",
        "e".repeat(MAX_LINE + 1)
    );
    let trailer = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}",
        "t".repeat(MAX_LINE + 1)
    );
    for (answer, what) in [
        (header, "the head is too long"),
        (headers, "too many headers"),
        (chunk, "a chunk without a size"),
        (trailer, "the trailer is too long"),
    ] {
        let decoded = decode(Method::Get, answer.as_bytes(), 4096);
        assert_eq!(decoded, Err(Fault::Malformed(what)));
    }
}

/// An answer that goes on for ever is a fault before much of it was read.
#[test]
fn answers_without_an_end_are_faults() {
    let repeated = |begin: &str, part: &str| {
        let mut decoder = Decoder::new(Method::Get, 1024 * 1024);
        let mut fed = begin.len();
        assert_eq!(decoder.feed(begin.as_bytes()), Ok(false));
        loop {
            fed += part.len();
            match decoder.feed(part.as_bytes()) {
                Ok(false) => assert!(fed < 20 << 20, "{part:.20}"),
                outcome => return (outcome, fed),
            }
        }
    };
    let ok = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let last = format!("{ok}0\r\n");
    let extended = format!("1;{}\r\nx\r\n", "e".repeat(1000));
    let no_end = Err(Fault::Malformed("the answer has no end"));
    #[rustfmt::skip]
    let table = [
        ("H", "TTP/1.1 100 Continue\r\n\r\nH", no_end, 1 << 10),
        ("H", "TTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nH", no_end, 1 << 10),
        ("H", "TTP/1.1 102 Processing\n\nH", no_end, 1 << 10),
        (&last, "Trailer: x\r\n", no_end, 128 << 10),
        (&last, "a\n", no_end, 128 << 10),
        (ok, &extended, no_end, 128 << 10),
        (ok, "000000000000001\r\nx\r\n", no_end, 1 << 20),
        (ok, "2\r\nhi\r\n", Err(Fault::TooLarge), 8 << 20),
        ("HTTP/1.1 200 OK\r\n\r\n", "x", Err(Fault::TooLarge), 2 << 20),
    ];
    for (begin, part, expected, most) in table {
        let (outcome, fed) = repeated(begin, part);
        assert_eq!(outcome, expected, "{part:.20}");
        assert!(fed <= most, "{part:.20}: {fed}");
    }
}

/// A head that comes byte by byte takes time that grows as it does.
#[test]
fn a_head_in_drips_is_parsed_seldom() {
    let head = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(15_000));
    let mut decoder = Decoder::new(Method::Get, 64);
    let mut parsed = Vec::new();
    for byte in head.as_bytes() {
        let complete = decoder.feed(&[*byte]).unwrap();
        assert!(!complete);
        if parsed.last() != Some(&decoder.parsed) {
            parsed.push(decoder.parsed);
        }
    }
    assert!(parsed.len() < 20, "{parsed:?}");
    assert_eq!(decoder.end(), Ok(()));
    assert_eq!(decoder.finish().0.status, 200);
}

#[test]
fn headers_that_tell_servers_apart_are_kept_short() {
    let long = "n".repeat(5000);
    for (head, content_type, server, has_body) in [
        ("Content-Length: 0", "", "", false),
        (
            "Content-Type: Text/HTML; charset=x\r\nContent-Length: 2",
            "text/html; charset=x",
            "",
            true,
        ),
        (
            "SERVER:  Nginx/1.2 \r\nTransfer-Encoding: chunked",
            "",
            "nginx/1.2",
            true,
        ),
        (
            &format!("Server: {long}\r\nContent-Length: 0"),
            "",
            &long[..64],
            false,
        ),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        let mut decoder = Decoder::new(Method::Head, 64);
        assert_eq!(decoder.feed(answer.as_bytes()), Ok(true));
        let response = decoder.finish().0;
        assert_eq!(
            (response.content_type.as_str(), response.server.as_str()),
            (content_type, server)
        );
        assert_eq!(response.has_body, has_body, "{head:.20}");
    }
}

#[test]
fn bytes_after_the_answer_spoil_the_connection() {
    let mut decoder = Decoder::new(Method::Get, 64);
    assert!(!decoder.started());
    let complete = decoder.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 500");
    assert_eq!(complete, Ok(true));
    assert!(decoder.started());
    assert!(!decoder.finish().1);
}

#[test]
fn request_heads() {
    let mut logger = Request::json(Method::Post, "/l", b"{}");
    logger.header = Some(("x-log-level", "info"));
    for (request, expected) in [
        (
            Request::bare(Method::Get, "/"),
            "GET / HTTP/1.1\r\nHost: h:1\r\n\r\n",
        ),
        (
            Request::bare(Method::Head, "/p.1"),
            "HEAD /p.1 HTTP/1.1\r\nHost: h:1\r\n\r\n",
        ),
        (
            Request::json(Method::Put, "/d", b"{\"a\":1}"),
            "PUT /d HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n",
        ),
        (
            logger,
            "POST /l HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\nx-log-level: info\r\nContent-Length: 2\r\n\r\n",
        ),
    ] {
        let mut head = Vec::new();
        request.write_head("h:1", &mut head);
        assert_eq!(String::from_utf8(head).unwrap(), expected);
    }
}
