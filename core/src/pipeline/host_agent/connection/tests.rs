use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use std::io::{Read, Write};

use crate::pipeline::host_agent::connection::*;
use crate::pipeline::host_agent::delivery::{Delivery, Message};
use crate::pipeline::host_agent::http::{Method, Request, Response};

type Script = Box<dyn FnOnce(TcpStream) + Send>;

/// Listens on a free port and plays one script per accepted connection.
fn serve(scripts: Vec<Script>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for script in scripts {
            let (stream, _) = listener.accept().unwrap();
            script(stream);
        }
    });
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Sends one request after the other over a connection that is kept.
struct Sender(Delivery);

impl Sender {
    fn send(&mut self, request: &Request<'_>, deadline: Instant) -> Result<Response, Error> {
        let message = Message {
            method: request.method,
            path: request.path.to_owned(),
            header: None,
            body: request.body.to_vec(),
        };
        self.0.send(message, deadline);
        loop {
            if let Some(delivered) = self.0.poll() {
                return delivered.outcome;
            }
            if let Some(interest) = self.0.interest() {
                net::wait(&[interest], deadline);
            }
        }
    }
}

fn to(peer: SocketAddr) -> Sender {
    let mut delivery = Delivery::default();
    let address = Address::new("127.0.0.1", peer.port());
    delivery.set_connection(Some(Connection::new(address, peer)));
    Sender(delivery)
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
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", Ok("200 hi")),
        (&huge, Err("the answer is larger than 1048576 bytes")),
    ];
    for (answer, expected) in table {
        // The write of the huge answer may fail: the client has gone by then.
        let text = answer.to_owned();
        let address = serve(vec![Box::new(move |mut stream| {
            request(&mut stream);
            drop(stream.write_all(text.as_bytes()));
        })]);
        let outcome = to(address).send(&GET, soon());
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
            // OpenFile open on purpose: the client has to honour `close` itself.
            thread::spawn(move || request(&mut stream));
        }),
        says("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let mut connection = to(address);
    let body = "b".repeat(200_000);
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
    let mut connection = to(address);
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
    let mut connection = to(address);
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
    let mut connection = to(address);
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
    let (heard, hears) = mpsc::channel::<()>();
    let deaf: Script = Box::new(move |stream| {
        let _ = hears.recv();
        drop(stream);
    });
    let body = vec![b'x'; 64 * 1024 * 1024];
    let large = Request::json(Method::Post, "/", &body);
    for (script, request) in [(hang, GET), (drip, GET), (deaf, large)] {
        let address = serve(vec![script]);
        let started = Instant::now();
        let limit = Duration::from_millis(150);
        let outcome = to(address).send(&request, started + limit);
        assert!(matches!(outcome, Err(Error::Timeout(_))), "{outcome:?}");
        let took = started.elapsed();
        // None of the three would end by itself.
        assert!(took >= limit && took < 100 * limit, "{took:?}");
    }
    drop(heard);
    let past = Instant::now();
    let outcome = to(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))).send(&GET, past);
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
    let mut connection = to(address);
    let response = connection.send(&Request::json(Method::Post, "/", &body), soon());
    assert_eq!(response.unwrap().status, 413);
    drop(tell);
}

#[test]
fn refused_connections() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut connection = to(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let outcome = connection.send(&GET, soon());
    assert!(matches!(outcome, Err(Error::Connect(..))), "{outcome:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn identity_is_the_socket_of_the_next_request() {
    let (tell, told) = mpsc::channel();
    let address = serve(vec![Box::new(move |mut stream| {
        request(&mut stream);
        tell.send(stream.peer_addr().unwrap()).unwrap();
        stream.write_all(HI.as_bytes()).unwrap();
        request(&mut stream);
    })]);
    let mut connection = to(address);
    let before = connection.0.connection().unwrap().identity(soon()).unwrap();
    connection.send(&GET, soon()).unwrap();
    let local = told.recv().unwrap();
    // The link is the one that the peer has seen.
    let mut link = connection.0.connection().unwrap().link().unwrap();
    assert_eq!(link.name().unwrap(), before);
    assert_eq!(
        link.interest(false).unwrap().stream.local_addr().unwrap(),
        local
    );
}
