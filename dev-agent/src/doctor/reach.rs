//! The way to the agent: name, connection, `GET /`.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::answer::Answer;
use super::budget::Budget;
use super::code::Code;
use super::connection::{Connection, Request};
use super::failure::Failure;
use super::report::{Diagnosis, Report};
use super::tls;
use crate::clock::now_ms;

const CHECK: &str = "agent";
/// Resolving a name.
const RESOLVE: Duration = Duration::from_secs(3);
/// How much longer than the tracer the doctor waits, to distinguish a slow agent from a
/// silent one.
const LONGER: Duration = Duration::from_secs(3);
/// The doctor waits no longer than this for an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// More addresses of a name are not tried.
const ADDRESSES: usize = 4;
/// Clocks that differ by more are a finding.
const SKEW_MS: u64 = 5000;

/// How a name becomes addresses.
pub(super) type Resolver = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// The system's resolver.
pub(super) fn system(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

/// An agent that may be asked.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    addresses: Vec<SocketAddr>,
    /// Host and port, as in a URL.
    pub(super) name: String,
    /// How long the tracer waits for an answer.
    timeout: Duration,
    budget: Budget,
}

impl Agent {
    /// Resolves the host.
    pub(super) fn resolve(
        (host, port): (&str, u16),
        timeout: Duration,
        budget: Budget,
        resolver: Resolver,
    ) -> Result<Self, Diagnosis> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = if bare.contains(':') {
            format!("[{bare}]:{port}")
        } else {
            format!("{bare}:{port}")
        };
        let mut addresses = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => lookup(bare, port, budget, resolver)?,
        };
        addresses.truncate(ADDRESSES);
        Ok(Self {
            addresses,
            name,
            timeout,
            budget,
        })
    }

    pub(super) fn connect(&self) -> Result<Connection, Failure> {
        let wanted = self.timeout.saturating_add(LONGER).min(PATIENCE);
        Connection::open(&self.addresses, self.budget.part(wanted))
    }

    /// Sends one request. `what` names it in diagnoses.
    pub(super) fn ask(&self, what: &str, request: Request<'_>) -> Result<Answer, Diagnosis> {
        let asked = self
            .connect()
            .and_then(|open| open.ask(&self.name, request));
        let answer = asked.map_err(|failure| failure.diagnose(what, &self.name))?;
        self.in_time(what, answer)
    }

    /// The answer, if the tracer had waited for it.
    pub(super) fn in_time(&self, what: &str, answer: Answer) -> Result<Answer, Diagnosis> {
        if answer.took <= self.timeout {
            return Ok(answer);
        }
        let finding = format!(
            "{what} at {}: answered after {:.1?}, the tracer waits {:.1?}",
            self.name, answer.took, self.timeout
        );
        Err(Diagnosis::new(Code::AgentSlow, finding))
    }

    /// `GET /`: whether an agent answers.
    pub(super) fn greet(&self, report: &mut Report) -> Result<(), Diagnosis> {
        let request = Request {
            method: "GET",
            path: "/",
            body: b"",
        };
        let what = "GET /";
        let asked = self
            .connect()
            .and_then(|open| open.ask(&self.name, request));
        let answer = match asked {
            Ok(answer) => self.in_time(what, answer)?,
            Err(failure) => return Err(self.explain(what, failure)),
        };
        let version = judge(&answer).map_err(|(code, seen)| {
            Diagnosis::new(code, format!("{what} at {}: {seen}", self.name))
        })?;
        let addresses: Vec<_> = self.addresses.iter().map(|a| a.ip().to_string()).collect();
        report.fact(
            CHECK,
            format!(
                "{} ({}) is {version}, answered in {:.0?}",
                self.name,
                addresses.join(", "),
                answer.took
            ),
        );
        clock(&answer, report);
        Ok(())
    }

    /// A TLS server may close at the first byte that is no TLS.
    fn explain(&self, what: &str, failure: Failure) -> Diagnosis {
        let failure = match failure {
            Failure::Closed if self.connect().is_ok_and(tls::speaks_tls) => Failure::Tls,
            other => other,
        };
        failure.diagnose(what, &self.name)
    }
}

fn lookup(
    host: &str,
    port: u16,
    budget: Budget,
    resolver: Resolver,
) -> Result<Vec<SocketAddr>, Diagnosis> {
    let (sender, receiver) = sync_channel(1);
    let name = host.to_owned();
    // The resolver has no deadline. A thread that is late ends with the process.
    let spawned = std::thread::Builder::new()
        .name("resolver".to_owned())
        .spawn(move || {
            let _ = sender.send(resolver(&name, port));
        });
    let unresolved =
        |error: &io::Error| Diagnosis::new(Code::NameUnresolved, format!("{host}: {error}"));
    if let Err(error) = spawned {
        return Err(unresolved(&error));
    }
    match receiver.recv_timeout(budget.part(RESOLVE)) {
        Ok(Ok(addresses)) if addresses.is_empty() => {
            Err(unresolved(&io::Error::other("it has no address")))
        }
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(unresolved(&error)),
        Err(_) => {
            let finding = format!("{host} is not resolved within {RESOLVE:?}");
            Err(Diagnosis::new(Code::NameSlow, finding))
        }
    }
}

/// What answered `GET /`, if it is an agent.
pub(super) fn judge(answer: &Answer) -> Result<String, (Code, String)> {
    let status = answer.status;
    let text = String::from_utf8_lossy(&answer.body);
    let by = answer.server.as_deref().unwrap_or("a nameless server");
    let seen = format!("{status} by {by}");
    match status {
        200..300 => {}
        // What Go, nginx and Jetty answer to HTTP on a TLS port.
        400 | 497 if text.contains("HTTPS") || text.contains("TLS") => {
            return Err((Code::Tls, format!("{seen} asks for HTTPS")));
        }
        300..400 => {
            let to = answer.location.as_deref().unwrap_or("nowhere");
            return Err((Code::Redirect, format!("{seen} leads to {to}")));
        }
        401 | 403 | 407 => return Err((Code::AccessDenied, seen)),
        502 | 504 => return Err((Code::BadGateway, seen)),
        503 => return Err((Code::AgentStarting, seen)),
        _ => return Err((Code::NotAgent, seen)),
    }
    let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&answer.body);
    let Ok(parsed) = parsed else {
        return Err((Code::NotAgent, format!("{seen}, and the body is no JSON")));
    };
    let Some(version) = parsed.get("version") else {
        return Err((
            Code::NotAgent,
            format!("{seen}, and the JSON has no `version`"),
        ));
    };
    let version = version
        .as_str()
        .map_or_else(|| version.to_string(), str::to_owned);
    if parsed.get("dev").is_some() {
        return Ok(format!("the dev agent {version}: nothing goes to Instana"));
    }
    Ok(format!("an agent {version}"))
}

/// Compares the answer's `Date` with the clock here.
fn clock(answer: &Answer, report: &mut Report) {
    let date = answer.date.as_deref();
    let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return report.fact("clock", "the agent sends no Date: not compared");
    };
    match skew(theirs, now_ms(), answer.took) {
        None => report.fact("clock", "the agent's clock agrees"),
        Some(finding) => report.found(Diagnosis::new(Code::ClockSkew, finding)),
    }
}

fn skew(theirs: SystemTime, now_ms: u64, took: Duration) -> Option<String> {
    let theirs = theirs.duration_since(UNIX_EPOCH).unwrap_or_default();
    let theirs = u64::try_from(theirs.as_millis()).unwrap_or(u64::MAX);
    // The answer is as old as the request took; a Date has no fractions.
    let uncertain = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let off = theirs.abs_diff(now_ms);
    if off <= SKEW_MS.saturating_add(uncertain).saturating_add(1000) {
        return None;
    }
    let direction = if theirs > now_ms {
        "ahead of"
    } else {
        "behind"
    };
    let seconds = off / 1000;
    let span = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    Some(format!("the agent's clock is {span} {direction} this one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let took = Duration::from_millis(300);
        assert_eq!(skew(at(100_000), 100_000, took), None);
        assert_eq!(skew(at(100_000), 106_300, took), None);
        assert_eq!(
            skew(at(100_000), 106_301, took).as_deref(),
            Some("the agent's clock is 6 s behind this one")
        );
        assert_eq!(
            skew(at(8_000_000), 1000, took).as_deref(),
            Some("the agent's clock is 2 h ahead of this one")
        );
    }

    #[test]
    fn who_answers() {
        let answer = |status, body: &str| Answer {
            status,
            body: body.as_bytes().to_vec(),
            ..Answer::default()
        };
        let agent = answer(200, r#"{"version":"1.1.7"}"#);
        assert_eq!(judge(&agent), Ok("an agent 1.1.7".to_owned()));
        for (status, body, code) in [
            (200, "<html>", Code::NotAgent),
            (200, "{}", Code::NotAgent),
            (404, "", Code::NotAgent),
            (500, "", Code::NotAgent),
            (301, "", Code::Redirect),
            (401, "", Code::AccessDenied),
            (407, "", Code::AccessDenied),
            (
                400,
                "Client sent an HTTP request to an HTTPS server.",
                Code::Tls,
            ),
            (400, "", Code::NotAgent),
            (502, "", Code::BadGateway),
            (503, "", Code::AgentStarting),
        ] {
            let judged = judge(&answer(status, body)).map_err(|(code, _)| code);
            assert_eq!(judged, Err(code), "{status} {body}");
        }
    }
}
