//! The grammar of hosts, names and header names.

use std::net::{Ipv4Addr, Ipv6Addr};

/// More header names are ignored.
const MAX_HEADERS: usize = 64;

/// Bytes of one header name.
const MAX_HEADER: usize = 256;

/// Bytes of a host name (RFC 1035).
const MAX_HOST: usize = 253;

/// Bytes of a service's or a process's name.
const MAX_NAME: usize = 1024;

/// Bytes of a plugin name.
const MAX_PLUGIN: usize = 64;

/// A host name, an IPv4 address, or an IPv6 address with or without brackets
/// and zone. The result has no brackets.
pub(crate) fn host(value: &str) -> Option<String> {
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
pub(crate) fn address(value: &str) -> Option<(String, Option<u16>)> {
    if let Some(host) = host(value) {
        return Some((host, None));
    }
    let (front, back) = value.trim().rsplit_once(':')?;
    if front.contains(':') && !front.starts_with('[') {
        return None;
    }
    Some((host(front)?, Some(port(back)?)))
}

pub(crate) fn port(value: &str) -> Option<u16> {
    value.trim().parse().ok().filter(|port| *port != 0)
}

pub(crate) fn plugin(value: &str) -> Option<String> {
    let value = value.trim();
    let fits = (1..=MAX_PLUGIN).contains(&value.len())
        && value
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
    fits.then(|| value.to_owned())
}

pub(crate) fn name(value: &str) -> Option<String> {
    text(value, MAX_NAME)
}

/// A text of 1 to `most` bytes.
pub(crate) fn text(value: &str, most: usize) -> Option<String> {
    let value = value.trim();
    (1..=most).contains(&value.len()).then(|| value.to_owned())
}

/// The names in lower case, each once and at most 64; those that are none, and those
/// that are too many.
pub(crate) fn header_names<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<String>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let lower = name.to_ascii_lowercase();
        if name.len() > MAX_HEADER || !name.bytes().all(is_token) {
            bad.push(name.to_owned());
        } else if good.contains(&lower) {
            // Once is enough.
        } else if good.len() < MAX_HEADERS {
            good.push(lower);
        } else {
            bad.push(name.to_owned());
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
    fn plugin_names_are_safe_in_a_path() {
        assert_eq!(plugin("golang").as_deref(), Some("golang"));
        assert_eq!(plugin("my.rust_1-x").as_deref(), Some("my.rust_1-x"));
        for value in ["", "Rust", "a/b", "a b", "ü", &"a".repeat(65)] {
            assert_eq!(plugin(value), None, "{value}");
        }
    }

    #[test]
    fn names_are_bounded() {
        for (value, expected) in [
            (" shop ", Some("shop".len())),
            (" ", None),
            (&"x".repeat(1024), Some(1024)),
            (&"x".repeat(1025), None),
            (&"é".repeat(513), None),
            (&"x".repeat(6 << 20), None),
        ] {
            assert_eq!(name(value).map(|name| name.len()), expected);
        }
    }

    #[test]
    fn header_lists() {
        let headers = |text: &str| header_names(text.split([';', ',']));
        let (good, bad) = headers("X-Tenant; x-b,X-TENANT,a b,,ü;");
        assert_eq!(good, ["x-tenant", "x-b"]);
        assert_eq!(bad, ["a b", "ü"]);
        let many: Vec<String> = (0..70).map(|n| format!("h{n}")).collect();
        let (good, surplus) = headers(&many.join(","));
        assert_eq!(good.len(), MAX_HEADERS);
        assert_eq!(surplus, many[MAX_HEADERS..]);
        assert_eq!(headers(&"a".repeat(257)).0.len(), 0);
    }
}
