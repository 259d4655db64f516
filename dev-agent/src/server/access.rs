//! Who may use the agent: no web page of another site, and `/dev/…` only holders
//! of the token.
//!
//! Browsers send `Origin` with every request that could change something, and
//! `Sec-Fetch-Site` with all to this machine; tracers send neither. A page can
//! also have its own name point to this machine (DNS rebinding); then `Host` is
//! that name, which its owner has registered. So names that nobody can register
//! are ours, as addresses are: those without a dot, and in domains for private use.

use std::net::IpAddr;

use hyper::{HeaderMap, Method, Uri, header};

use super::reply::{Reply, error};
use crate::protocol::Incoming;
use crate::state::Shared;

/// Top-level domains that are kept for private use (RFC 2606, 6761, 6762, 8375,
/// ICANN's `internal`), and Kubernetes' names of services.
const PRIVATE: &[&str] = &[
    "arpa",
    "internal",
    "invalid",
    "local",
    "localhost",
    "svc",
    "test",
];

/// The refusal of a request that a web page may have sent.
pub(super) fn refuse_foreign(
    shared: &Shared,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Reply> {
    let hosts = shared.read(|state| state.config.hosts.clone());
    let (name, value) = foreign(&hosts, method, uri, headers)?;
    shared.change(|state| state.foreign(name, &value));
    let message = match name {
        "Host" => {
            "the Host header is a name that a web page may have rebound to this address; use \
             an address or localhost, or allow the name with `--host`"
        }
        _ => "the request comes from a web page of another site",
    };
    Some(error(403, message))
}

/// The header that shows a request to be another site's, and its value.
fn foreign(
    hosts: &[String],
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<(&'static str, String)> {
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let named = headers.get_all(header::HOST).iter().map(text);
    let named: Vec<_> = named
        .chain(
            uri.authority()
                .map(|authority| authority.as_str().to_owned()),
        )
        .collect();
    if let Some(host) = named.iter().find(|host| !is_own(host, hosts)) {
        return Some(("Host", host.clone()));
    }
    let host = named.first().map_or("", String::as_str);
    for origin in headers.get_all(header::ORIGIN).iter().map(text) {
        if !origin.eq_ignore_ascii_case(&format!("http://{host}")) {
            return Some(("Origin", origin));
        }
    }
    let fetch = |name| headers.get(name).map(text).unwrap_or_default();
    let site = fetch("sec-fetch-site");
    // Following a link to the query API is no page's doing.
    let followed = *method == Method::GET && fetch("sec-fetch-mode") == "navigate";
    if !followed && !matches!(site.as_str(), "" | "none" | "same-origin") {
        return Some(("Sec-Fetch-Site", site));
    }
    None
}

/// The refusal of a request to `/dev/…` without the token.
pub(super) fn refuse_stranger(shared: &Shared, request: &Incoming) -> Option<Reply> {
    let token = shared.read(|state| state.config.token.clone())?;
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

/// Whether no web page can have this host: it is an address, a name for private use, or
/// one of `hosts`.
fn is_own(host: &str, hosts: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            Some(_) => "",
            None => host,
        },
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if name.parse::<IpAddr>().is_ok() || hosts.contains(&name) {
        return true;
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let private = !name.contains('.') || PRIVATE.contains(&last);
    // A last label of digits would be an address that others read otherwise.
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    !name.is_empty() && name.bytes().all(sound) && private && !numeric
}

/// Compares in constant time, which does not show where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (host, own) in [
            ("127.0.0.1:42699", true),
            ("127.0.0.1", true),
            ("192.168.1.4:42699", true),
            ("172.17.0.1:42699", true),
            ("[::1]:42699", true),
            ("[fe80::1]", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("agent.localhost:1", true),
            ("instana-agent:42699", true),
            ("instana_agent", true),
            ("host.docker.internal:42699", true),
            ("host.containers.internal", true),
            ("gateway.docker.internal.", true),
            ("my-laptop.local:42699", true),
            ("instana-agent.instana-agent.svc:42699", true),
            ("instana-agent.instana-agent.svc.cluster.local:42699", true),
            ("router.home.arpa", true),
            ("agent.corp.example:42699", true),
            ("Agent.Corp.Example", true),
            ("evil.example:42699", false),
            ("evil.com", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.0.0.1.nip.io:42699", false),
            ("internal.evil.com", false),
            ("0x7f000001:42699", false),
            ("2130706433", false),
            ("127.1", false),
            ("a b", false),
            ("evil.com:80@localhost", false),
            ("localhost:80@evil.com", false),
            ("\u{e9}vil", false),
            ("", false),
            (":42699", false),
        ] {
            let hosts = ["agent.corp.example".to_owned()];
            assert_eq!(is_own(host, &hosts), own, "{host}");
        }
    }

    fn shown(method: &str, uri: &str, headers: &[(&str, &str)]) -> Option<&'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, value.parse().unwrap());
        }
        let method = method.parse().unwrap();
        let found = foreign(&[], &method, &uri.parse().unwrap(), &map);
        found.map(|(name, _)| name)
    }

    #[test]
    fn what_only_browsers_send() {
        let host = ("Host", "127.0.0.1:42699");
        for (method, headers, found) in [
            ("POST", &[host][..], None),
            ("POST", &[], None),
            ("POST", &[host, ("Origin", "http://127.0.0.1:42699")], None),
            (
                "POST",
                &[host, ("Origin", "http://localhost:42699")],
                Some("Origin"),
            ),
            (
                "POST",
                &[host, ("Origin", "http://127.0.0.1:3000")],
                Some("Origin"),
            ),
            (
                "POST",
                &[host, ("Origin", "https://127.0.0.1:42699")],
                Some("Origin"),
            ),
            (
                "OPTIONS",
                &[host, ("Origin", "https://evil.example")],
                Some("Origin"),
            ),
            ("POST", &[host, ("Origin", "null")], Some("Origin")),
            ("POST", &[host, ("Origin", "")], Some("Origin")),
            (
                "POST",
                &[
                    host,
                    ("Origin", "http://127.0.0.1:42699"),
                    ("Origin", "http://evil.example"),
                ],
                Some("Origin"),
            ),
            (
                "POST",
                &[("Host", "evil.example"), ("Origin", "http://evil.example")],
                Some("Host"),
            ),
            ("GET", &[host, ("Host", "evil.example")], Some("Host")),
            (
                "GET",
                &[host, ("Sec-Fetch-Site", "cross-site")],
                Some("Sec-Fetch-Site"),
            ),
            (
                "GET",
                &[host, ("Sec-Fetch-Site", "same-site")],
                Some("Sec-Fetch-Site"),
            ),
            ("GET", &[host, ("Sec-Fetch-Site", "same-origin")], None),
            ("GET", &[host, ("Sec-Fetch-Site", "none")], None),
            (
                "GET",
                &[
                    host,
                    ("Sec-Fetch-Site", "cross-site"),
                    ("Sec-Fetch-Mode", "navigate"),
                ],
                None,
            ),
            (
                "POST",
                &[
                    host,
                    ("Sec-Fetch-Site", "cross-site"),
                    ("Sec-Fetch-Mode", "navigate"),
                ],
                Some("Sec-Fetch-Site"),
            ),
        ] {
            assert_eq!(shown(method, "/dev", headers), found, "{headers:?}");
        }
        let absolute = shown("GET", "http://evil.example/dev", &[host]);
        assert_eq!(absolute, Some("Host"));
    }

    #[test]
    fn tokens() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"ab", b"abc"));
        assert!(!same(b"", b"abc"));
    }
}
