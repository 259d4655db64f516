//! Who may use `/dev/…`: holders of the token, and no web page of another site.

use std::net::IpAddr;

use super::reply::{Reply, error};
use crate::protocol::Incoming;
use crate::state::Shared;

/// The refusal, if the request is to be refused.
pub(super) fn refuse(shared: &Shared, request: &Incoming) -> Option<Reply> {
    let (token, remote) = shared.read(|state| {
        let config = &state.config;
        (config.token.clone(), !config.listen.ip().is_loopback())
    });
    let host = request.header("host").unwrap_or_default();
    if !host_is_local(host, remote) {
        let message = "the Host header is neither localhost nor an address of this machine \
                       (a web page may be rebinding its name); use 127.0.0.1 or localhost";
        return Some(error(403, message));
    }
    if let Some(origin) = request.header("origin") {
        if origin != format!("http://{host}") {
            return Some(error(403, "the Origin header names another site"));
        }
    }
    let token = token?;
    let sent = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    if sent.is_some_and(|sent| same(sent.trim().as_bytes(), token.as_bytes())) {
        return None;
    }
    let mut refused = error(401, "send the token as `Authorization: Bearer <token>`");
    let challenge = hyper::header::HeaderValue::from_static("Bearer");
    refused
        .headers_mut()
        .insert(hyper::header::WWW_AUTHENTICATE, challenge);
    Some(refused)
}

/// A name other than localhost could be a web page's that points here. An
/// address cannot; from other machines any of them is fine.
fn host_is_local(host: &str, remote: bool) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    match name.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || remote,
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (host, remote, local) in [
            ("127.0.0.1:42699", false, true),
            ("localhost", false, true),
            ("LOCALHOST:1", false, true),
            ("[::1]:42699", false, true),
            ("192.168.1.4:42699", false, false),
            ("192.168.1.4:42699", true, true),
            ("evil.example:42699", false, false),
            ("evil.example:42699", true, false),
            ("localhost.evil.example", false, false),
            ("", false, false),
        ] {
            assert_eq!(host_is_local(host, remote), local, "{host} {remote}");
        }
    }

    #[test]
    fn tokens() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"ab", b"abc"));
        assert!(!same(b"", b"abc"));
    }
}
