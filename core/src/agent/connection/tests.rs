use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::mpsc;
use std::thread;

use std::io::{Read, Write};

use super::*;
use crate::agent::wire::WRITE_PART;

type Script = Box<dyn FnOnce(TcpStream) + Send>;

/// Listens on a free port and plays one script per accepted connection.
fn serve(scripts: Vec<Script>) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for script in scripts {
            let (stream, _) = listener.accept().unwrap();
            script(stream);
        }
    });
    Address::new("127.0.0.1", port)
}

/// Reads one request (head and `Content-Length` body); empty when closed.
fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => text.push(char::from(byte[0])),
            _ => return String::new(),
        }
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    text + &String::from_utf8_lossy(&body)
}

fn says(answer: &str) -> Script {
    let answer = answer.to_owned();
    Box::new(move |mut stream| {
        request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
    })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

const GET: Request<'static> = Request {
    method: Method::Get,
    path: "/",
    content_type: None,
    header: None,
    body: &[],
};
const HI: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[test]
fn answers_become_responses_or_errors_that_name_the_address() {
    let html = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html></html>";
    let huge = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(MAX_ANSWER + 1));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    #[rustfmt::skip]
    let table: [(&str, Result<&str, &str>); 9] = [
        (HI, Ok("200 hi")),
        (html, Ok("200 <html></html>")),
        (chunked, Ok("200 hi")),
        ("HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", Ok("301 ")),
        ("garbage\r\n\r\n", Err("the answer is not HTTP")),
        ("", Err("closed without a whole answer")),
        ("HTTP/1.1 200 OK\r\nContent-Len", Err("closed without a whole answer")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", Err("closed without a whole answer")),
        (&huge, Err("the answer is larger than 1048576 bytes")),
    ];
    for (answer, expected) in table {
        // The write of the huge answer may fail: the client has gone by then.
        let text = answer.to_owned();
        let address = serve(vec![Box::new(move |mut stream| {
            request(&mut stream);
            drop(stream.write_all(text.as_bytes()));
        })]);
        let outcome = Connection::new(address.clone()).send(&GET, soon());
        let outcome = match outcome {
            Ok(answer) => Ok(format!(
                "{} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            )),
            Err(error) => Err(error.to_string()),
        };
        let expected = expected
            .map(str::to_owned)
            .map_err(|text| format!("{address}: {text}"));
        assert_eq!(outcome, expected, "{answer:.60}");
    }
}

#[test]
fn one_connection_serves_many_requests_until_close() {
    let (tell, told) = mpsc::channel();
    let closing = HI.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let address = serve(vec![
        Box::new(move |mut stream| {
            for answer in [HI, &closing] {
                tell.send(request(&mut stream)).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
            // Kept open on purpose: the client has to honour `close` itself.
            thread::spawn(move || request(&mut stream));
        }),
        says("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let mut connection = Connection::new(address.clone());
    let body = "b".repeat(3 * WRITE_PART);
    let post = Request::json(Method::Post, "/traces", body.as_bytes());
    assert_eq!(connection.send(&post, soon()).unwrap().status, 200);
    assert_eq!(connection.send(&GET, soon()).unwrap().status, 200);
    assert_eq!(connection.send(&GET, soon()).unwrap().status, 202);
    let first = told.recv().unwrap();
    assert!(first.starts_with(&format!("POST /traces HTTP/1.1\r\nHost: {address}\r\n")));
    assert!(first.ends_with(&body));
}

#[test]
fn a_stale_connection_is_replaced_once() {
    // Closed while idle: noticed before, or by, the second request.
    let address = serve(vec![says(HI), says(HI)]);
    let mut connection = Connection::new(address);
    assert!(connection.send(&GET, soon()).is_ok());
    assert!(connection.send(&GET, soon()).is_ok());

    // Closed after the request came: sent again, but only once.
    let hang_up = || -> Script {
        Box::new(|mut stream| {
            request(&mut stream);
        })
    };
    let address = serve(vec![
        Box::new(|mut stream| {
            request(&mut stream);
            stream.write_all(HI.as_bytes()).unwrap();
            request(&mut stream);
        }),
        hang_up(),
        says(HI),
    ]);
    let mut connection = Connection::new(address);
    assert!(connection.send(&GET, soon()).is_ok());
    let outcome = connection.send(&GET, soon());
    assert!(matches!(outcome, Err(Error::Closed(_))), "{outcome:?}");
    // And a fresh connection that is closed is not retried at all.
    assert!(connection.send(&GET, soon()).is_ok());
}

#[test]
fn an_answer_that_nobody_asked_for_is_not_taken() {
    let (tell, told) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    let address = serve(vec![
        Box::new(move |mut stream| {
            request(&mut stream);
            stream.write_all(HI.as_bytes()).unwrap();
            gone.recv().unwrap();
            let stray = "HTTP/1.1 500 Stray\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(stray.as_bytes()).unwrap();
            tell.send(()).unwrap();
            request(&mut stream);
        }),
        says(HI),
    ]);
    let mut connection = Connection::new(address);
    assert!(connection.send(&GET, soon()).is_ok());
    go.send(()).unwrap();
    told.recv().unwrap();
    assert_eq!(connection.send(&GET, soon()).unwrap().status, 200);
}

#[test]
fn the_deadline_covers_everything() {
    let hang: Script = Box::new(|mut stream| {
        request(&mut stream);
        request(&mut stream);
    });
    // A byte every few milliseconds would satisfy a timeout per read for ever.
    let drip: Script = Box::new(|mut stream| {
        request(&mut stream);
        for byte in HI.bytes().cycle() {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
            if byte == b'i' {
                break;
            }
        }
        request(&mut stream);
    });
    // Never reads: a large body fills the socket's buffers.
    let deaf: Script = Box::new(|stream| {
        thread::sleep(Duration::from_secs(2));
        drop(stream);
    });
    let body = vec![b'x'; 64 * 1024 * 1024];
    let large = Request::json(Method::Post, "/", &body);
    for (script, request) in [(hang, GET), (drip, GET), (deaf, large)] {
        let address = serve(vec![script]);
        let started = Instant::now();
        let deadline = started + Duration::from_millis(150);
        let outcome = Connection::new(address).send(&request, deadline);
        assert!(matches!(outcome, Err(Error::Timeout(_))), "{outcome:?}");
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(150), "{took:?}");
        assert!(took < Duration::from_millis(1500), "{took:?}");
    }
    let past = Instant::now();
    let outcome = Connection::new(Address::new("127.0.0.1", 1)).send(&GET, past);
    assert!(matches!(outcome, Err(Error::Timeout(_))), "{outcome:?}");
}

#[test]
fn an_early_answer_to_a_large_body_is_read() {
    let (tell, told) = mpsc::channel::<()>();
    let address = serve(vec![Box::new(move |mut stream| {
        let mut some = [0; 1024];
        stream.read_exact(&mut some).unwrap();
        stream
            .write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        // Drained, so that closing does not reset the connection.
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
        drop(told);
    })]);
    let body = vec![b'x'; 4 * 1024 * 1024];
    let mut connection = Connection::new(address);
    let response = connection.send(&Request::json(Method::Post, "/", &body), soon());
    assert_eq!(response.unwrap().status, 413);
    drop(tell);
}

#[test]
fn refused_connections_and_bad_hosts() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    for host in ["127.0.0.1", "", "a b", "a\r\nX: y", "ünïcode"] {
        let outcome = Connection::new(Address::new(host, port)).send(&GET, soon());
        assert!(
            matches!(outcome, Err(Error::Connect(..))),
            "{host:?}: {outcome:?}"
        );
    }
}

#[test]
fn hosts_in_every_form() {
    #[rustfmt::skip]
    let table = [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:42699"),
        (" agent.local ", "agent.local", "agent.local:42699"),
        ("::1", "::1", "[::1]:42699"),
        ("[::1]", "::1", "[::1]:42699"),
        ("fe80::1%eth0", "fe80::1%eth0", "[fe80::1]:42699"),
    ];
    for (host, inner, authority) in table {
        let address = Address::new(host, 42699);
        assert_eq!(
            (address.host.as_str(), address.to_string().as_str()),
            (inner, authority)
        );
    }
    let v4 = Address::new("10.0.0.1", 1).resolve().unwrap();
    assert_eq!(v4, [SocketAddr::new(Ipv4Addr::new(10, 0, 0, 1).into(), 1)]);
    let v6 = Address::new("[::1]", 1).resolve().unwrap();
    assert_eq!(v6, [SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 1)]);
}

#[test]
fn every_address_of_a_name_is_tried() {
    // `localhost` often is ::1 first, where nobody listens.
    let address = serve(vec![says(HI)]);
    let mut connection = Connection::new(Address::new("localhost", address.port));
    assert_eq!(connection.send(&GET, soon()).unwrap().body, b"hi");
}

#[cfg(target_os = "linux")]
#[test]
fn identity_is_the_socket_of_the_next_request() {
    let (tell, told) = mpsc::channel();
    let address = serve(vec![Box::new(move |mut stream| {
        request(&mut stream);
        tell.send(stream.peer_addr().unwrap()).unwrap();
        stream.write_all(HI.as_bytes()).unwrap();
    })]);
    let mut connection = Connection::new(address);
    assert_eq!(connection.identity(), None);
    connection.connect(soon()).unwrap();
    let before = connection.identity().unwrap();
    let local = connection
        .wire
        .as_ref()
        .unwrap()
        .stream()
        .local_addr()
        .unwrap();
    connection.send(&GET, soon()).unwrap();
    assert_eq!(connection.identity().unwrap(), before);
    assert_eq!(told.recv().unwrap(), local);
}
