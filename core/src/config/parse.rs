//! Readers of single values. Each returns what it wants to see on failure.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::log::Level;

/// More header names are ignored.
const MAX_HEADERS: usize = 64;

/// Bytes of one header name.
const MAX_HEADER: usize = 256;

/// Bytes of a host name (RFC 1035).
const MAX_HOST: usize = 253;

/// Bytes of a plugin name.
const MAX_PLUGIN: usize = 64;

pub(super) const HOST: &str =
    "a host name or an IP address (no scheme; the port is a setting of its own)";
pub(super) const ADDRESS: &str = "a host or host:port (no scheme; IPv6 with a port in brackets)";
pub(super) const PORT: &str = "a port (1 to 65535)";
pub(super) const TIMEOUT: &str = "a number of milliseconds (1 to 600000)";
pub(super) const PLUGIN: &str = "a plugin name (1 to 64 of a-z, 0-9, `.`, `_`, `-`)";
pub(super) const NAME: &str = "a name (it is blank)";
pub(super) const HEADER: &str = "a header name (1 to 256 letters, digits and !#$%&'*+-.^_`|~)";
pub(super) const HEADERS: &str = "a list of header names";
pub(super) const FLAG: &str = "a flag (true, 1, false or 0)";
pub(super) const LOG_LEVEL: &str = "a log level (error, warn, info or debug)";

/// A host name, an IPv4 address, or an IPv6 address with or without brackets
/// and zone. The result has no brackets.
pub(super) fn host(value: &str) -> Option<String> {
    let value = value.trim();
    let bare = value.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
    if bare.is_some() || value.contains(':') {
        let bare = bare.unwrap_or(value);
        return is_ipv6(bare).then(|| bare.to_owned());
    }
    let numeric = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if numeric {
        return value
            .parse::<Ipv4Addr>()
            .ok()
            .map(|address| address.to_string());
    }
    let fits = value.len() <= MAX_HOST
        && value
            .split('.')
            .enumerate()
            .all(|(index, label)| is_label(label) || (index > 0 && label.is_empty()))
        && !value.contains("..");
    fits.then(|| value.to_owned())
}

/// `host` or `host:port`, for code.
pub(super) fn address(value: &str) -> Option<(String, Option<u16>)> {
    if let Some(host) = host(value) {
        return Some((host, None));
    }
    let (front, back) = value.trim().rsplit_once(':')?;
    if front.contains(':') && !front.starts_with('[') {
        return None;
    }
    Some((host(front)?, Some(port(back)?)))
}

pub(super) fn port(value: &str) -> Option<u16> {
    value.trim().parse().ok().filter(|port| *port != 0)
}

pub(super) fn timeout(value: &str) -> Option<Duration> {
    let millis: u64 = value.trim().parse().ok()?;
    (1..=600_000)
        .contains(&millis)
        .then(|| Duration::from_millis(millis))
}

pub(super) fn plugin(value: &str) -> Option<String> {
    let value = value.trim();
    let fits = (1..=MAX_PLUGIN).contains(&value.len())
        && value
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
    fits.then(|| value.to_owned())
}

pub(super) fn name(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

pub(super) fn flag(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// `warning` is Python's spelling.
pub(super) fn log_level(value: &str) -> Option<Level> {
    Level::parse(value)
}

/// The names in a list with `;` or `,`, lower case, each once, and the entries
/// that are none.
pub(super) fn headers(value: &str) -> (Vec<String>, Vec<String>) {
    header_names(value.split([';', ',']))
}

/// As [`headers`], of single names.
pub(super) fn header_names<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<String>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let lower = name.to_ascii_lowercase();
        if name.len() > MAX_HEADER || !name.bytes().all(is_token) {
            bad.push(name.to_owned());
        } else if !good.contains(&lower) {
            if good.len() == MAX_HEADERS {
                break;
            }
            good.push(lower);
        }
    }
    (good, bad)
}

fn is_ipv6(value: &str) -> bool {
    let (address, zone) = value.split_once('%').unwrap_or((value, "0"));
    let zone_fits = !zone.is_empty()
        && zone
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    zone_fits && address.parse::<Ipv6Addr>().is_ok()
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// RFC 9110, `tchar`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (value, expected) in [
            ("localhost", Some("localhost")),
            (" agent.example.com. ", Some("agent.example.com.")),
            ("instana_agent-1", Some("instana_agent-1")),
            ("10.0.0.1", Some("10.0.0.1")),
            ("::1", Some("::1")),
            ("[fe80::1%eth0]", Some("fe80::1%eth0")),
            ("", None),
            (".", None),
            ("a..b", None),
            ("10.0.0", None),
            ("300.0.0.1", None),
            ("http://h", None),
            ("h:42699", None),
            ("[::1]:42699", None),
            ("[h]", None),
            ("a b", None),
            ("h/x", None),
        ] {
            assert_eq!(host(value).as_deref(), expected, "{value}");
        }
        assert_eq!(host(&"a".repeat(64)), None);
    }

    #[test]
    fn addresses() {
        for (value, expected) in [
            ("h", Some(("h", None))),
            ("h:1", Some(("h", Some(1)))),
            ("::1", Some(("::1", None))),
            ("[::1]:1", Some(("::1", Some(1)))),
            ("h:0", None),
            ("h:", None),
            (":1", None),
            ("a:b:1", None),
            ("http://h:1", None),
        ] {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(address(value), expected, "{value}");
        }
    }

    #[test]
    fn numbers_flags_and_levels() {
        assert_eq!(port("42699"), Some(42_699));
        for value in ["", "0", "65536", "-1", "42x99", "1.0"] {
            assert_eq!(port(value), None, "{value}");
        }
        assert_eq!(timeout("1500"), Some(Duration::from_millis(1_500)));
        for value in ["0", "600001", "5s", ""] {
            assert_eq!(timeout(value), None, "{value}");
        }
        assert_eq!(flag("TRUE"), Some(true));
        assert_eq!(flag("0"), Some(false));
        assert_eq!(flag("yes"), None);
        assert_eq!(log_level("Warning"), Some(Level::Warn));
        assert_eq!(log_level("trace"), None);
    }

    #[test]
    fn plugin_names_are_safe_in_a_path() {
        assert_eq!(plugin("golang").as_deref(), Some("golang"));
        assert_eq!(plugin("my.rust_1-x").as_deref(), Some("my.rust_1-x"));
        for value in ["", "Rust", "a/b", "a b", "ü", &"a".repeat(65)] {
            assert_eq!(plugin(value), None, "{value}");
        }
    }

    #[test]
    fn header_lists() {
        let (good, bad) = headers("X-Tenant; x-b,X-TENANT,a b,,ü;");
        assert_eq!(good, ["x-tenant", "x-b"]);
        assert_eq!(bad, ["a b", "ü"]);
        let many: Vec<String> = (0..70).map(|n| format!("h{n}")).collect();
        assert_eq!(headers(&many.join(",")).0.len(), MAX_HEADERS);
        assert_eq!(headers(&"a".repeat(257)).0.len(), 0);
    }
}
