//! Faults on the way to an agent.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use instana_dev_agent::Config;
use instana_dev_agent::doctor::Code;

use super::server::{Act, Server};
use super::surroundings::Proc;
use super::{agent, assert_found, doctor, of_agent, of_server};

/// One fault, whatever is asked.
fn always(act: impl Fn() -> Act + Send + Sync + 'static) -> Vec<Code> {
    of_server(&Server::but(move |_| Some(act()))).codes()
}

#[test]
fn nothing_listens() {
    let agent = agent(Config::new());
    agent.stop();
    assert_found(&of_agent(&agent), &[Code::ConnectRefused]);
}

#[test]
fn nobody_accepts() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _inside = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .expect("a port");
    let full = socket.listen(1).expect("a listener");
    let addr = full.local_addr().expect("an address");
    // With a full queue the kernel drops what comes, as a firewall does.
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&addr, Duration::from_millis(200)) {
        waiting.push(stream);
        assert!(waiting.len() < 100, "the queue is never full");
    }
    let report = doctor(addr.port(), &Proc::host()).examine();
    assert_found(&report, &[Code::ConnectTimeout]);
}

#[test]
fn an_agent_that_hangs() {
    let server = Server::but(|_| Some(Act::Hang));
    let waits = [("INSTANA_AGENT_REQUEST_TIMEOUT".to_owned(), "100".to_owned())];
    let report = doctor(server.port(), &Proc::host())
        .environment(waits)
        .examine();
    assert_found(&report, &[Code::NoAnswer]);
}

#[test]
fn an_agent_slower_than_the_tracer_waits() {
    let server = Server::but(|asked| {
        let late = Duration::from_millis(400);
        (asked.path == "/").then(|| {
            let body = r#"{"version":"1"}"#;
            Act::Late(late, Box::new(Act::answer(200, "", body)))
        })
    });
    let waits = [("INSTANA_AGENT_REQUEST_TIMEOUT".to_owned(), "100".to_owned())];
    let report = doctor(server.port(), &Proc::host())
        .environment(waits)
        .examine();
    assert_found(&report, &[Code::AgentSlow]);
}

#[test]
fn no_more_time() {
    let server = Server::but(|_| Some(Act::Hang));
    let started = Instant::now();
    let report = doctor(server.port(), &Proc::host())
        .limit(Duration::from_millis(200))
        .examine();
    assert_found(&report, &[Code::OutOfTime]);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn it_closes() {
    assert_eq!(always(|| Act::Close), [Code::Closed]);
}

#[test]
fn it_speaks_tls() {
    let alert = || Act::Bytes(vec![0x15, 3, 1, 0, 2, 2, 0x46]);
    assert_eq!(always(alert), [Code::Tls]);
    // Some close at HTTP, and answer to a handshake only.
    let server = Server::but(|asked| {
        let handshake = Act::Bytes(vec![0x16, 3, 3, 0, 0x7a, 2, 0, 0, 0x76, 3, 3]);
        Some(if asked.first == 0x16 {
            handshake
        } else {
            Act::Close
        })
    });
    assert_found(&of_server(&server), &[Code::Tls]);
    let text = "Client sent an HTTP request to an HTTPS server.\n";
    assert_eq!(always(move || Act::answer(400, "", text)), [Code::Tls]);
}

#[test]
fn it_speaks_another_protocol() {
    assert_eq!(
        always(|| Act::text("SSH-2.0-OpenSSH_9.7\r\n")),
        [Code::NotHttp]
    );
    let redis = "-ERR unknown command 'GET', with args beginning with: '/'\r\n";
    assert_eq!(always(move || Act::text(redis)), [Code::NotHttp]);
    let settings = || Act::Bytes(vec![0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]);
    assert_eq!(always(settings), [Code::Http2]);
}

#[test]
fn its_answer_is_broken() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ver";
    assert_eq!(always(move || Act::text(half)), [Code::BrokenAnswer]);
    assert_eq!(always(|| Act::text("HTTP/1.1 200")), [Code::BrokenAnswer]);
    let endless = || Act::answer(200, "", &"x".repeat(2 << 20));
    assert_eq!(always(endless), [Code::BrokenAnswer]);
}

#[test]
fn a_web_application_or_proxy() {
    let page = "<html>It works</html>";
    for (status, head, body, code) in [
        (
            301,
            "Location: https://login.example/\r\n",
            "",
            Code::Redirect,
        ),
        (302, "", "", Code::Redirect),
        (401, "WWW-Authenticate: Basic\r\n", "", Code::AccessDenied),
        (403, "Server: nginx\r\n", page, Code::AccessDenied),
        (407, "", "", Code::AccessDenied),
        (502, "Server: nginx\r\n", page, Code::BadGateway),
        (504, "", "", Code::BadGateway),
        (503, "", "", Code::AgentStarting),
        (404, "", page, Code::NotAgent),
        (200, "", page, Code::NotAgent),
        (200, "", r#"{"status":"UP"}"#, Code::NotAgent),
        (200, "", "[]", Code::NotAgent),
    ] {
        let found = always(move || Act::answer(status, head, body));
        assert_eq!(found, [code], "{status} {body}");
    }
}

#[test]
fn the_clocks_differ() {
    let server = Server::but(|asked| {
        let head = "Date: Thu, 01 Jan 2015 00:00:00 GMT\r\n";
        let body = r#"{"version":"1.1.700"}"#;
        (asked.path == "/").then(|| Act::answer(200, head, body))
    });
    let report = of_server(&server);
    assert_found(&report, &[Code::ClockSkew]);
    assert!(report.diagnoses[0].finding.contains("behind"), "{report:?}");
}
