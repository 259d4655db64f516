//! `Failure`: why a request to the agent got no answer.

use std::io;
use std::time::Duration;

use super::code::Code;
use super::report::Diagnosis;

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The answer is no whole HTTP answer; why.
    Broken(&'static str),
    /// Closed or reset before the first byte.
    Closed,
    /// No connection.
    Connect(io::Error),
    /// HTTP/2 frames.
    Http2,
    /// These bytes, which are no HTTP.
    NotHttp(Vec<u8>),
    /// No byte came in this time.
    Silent(Duration),
    /// A TLS record.
    Tls,
}

impl Failure {
    /// The diagnosis, for a request (`GET /`) to an address.
    pub(super) fn diagnose(&self, request: &str, address: &str) -> Diagnosis {
        let (code, seen) = match self {
            Self::Broken(why) => (Code::BrokenAnswer, (*why).to_owned()),
            Self::Closed => (Code::Closed, "closed without an answer".to_owned()),
            Self::Connect(error) => return connect(error, address),
            Self::Http2 => (Code::Http2, "answered with HTTP/2 frames".to_owned()),
            Self::NotHttp(bytes) => (Code::NotHttp, format!("answered `{}`", start(bytes))),
            Self::Silent(waited) => (Code::NoAnswer, format!("no answer within {waited:.1?}")),
            Self::Tls => (Code::Tls, "answered with TLS".to_owned()),
        };
        Diagnosis::new(code, format!("{request} at {address}: {seen}"))
    }
}

fn connect(error: &io::Error, address: &str) -> Diagnosis {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable,
        TimedOut, WouldBlock,
    };
    let code = match error.kind() {
        ConnectionRefused => Code::ConnectRefused,
        TimedOut | WouldBlock => Code::ConnectTimeout,
        HostUnreachable | NetworkUnreachable | NetworkDown | AddrNotAvailable => {
            Code::ConnectUnreachable
        }
        _ => Code::ConnectFailed,
    };
    Diagnosis::new(code, format!("connecting to {address}: {error}"))
}

/// The first bytes, for people.
fn start(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_no_connection() {
        use io::ErrorKind;
        for (kind, code) in [
            (ErrorKind::ConnectionRefused, Code::ConnectRefused),
            (ErrorKind::TimedOut, Code::ConnectTimeout),
            (ErrorKind::NetworkUnreachable, Code::ConnectUnreachable),
            (ErrorKind::HostUnreachable, Code::ConnectUnreachable),
            (ErrorKind::PermissionDenied, Code::ConnectFailed),
        ] {
            let failure = Failure::Connect(kind.into());
            assert_eq!(failure.diagnose("GET /", "a:1").code, code);
        }
    }
}
