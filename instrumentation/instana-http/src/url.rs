//! URLs of requests that go out, in one form: as the `url` crate, and with it
//! reqwest, writes them.

use std::net::Ipv6Addr;

use http::HeaderMap;
use http::uri::Uri;

use crate::record::host;

/// The URL without its query. Parts that a request in origin form (`/path`) lacks are
/// taken from its `Host` and from `origin`; an unknown scheme is `https` on port 443 and
/// `http` elsewhere. Without a host it is the path alone.
pub(crate) fn url(uri: &Uri, headers: &HeaderMap, origin: Option<&Uri>) -> String {
    let known = origin.and_then(Uri::authority);
    let authority = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => host(uri, headers).or(known.map(|known| known.as_str())),
    };
    let Some(authority) = authority.filter(|authority| !authority.is_empty()) else {
        return uri.path().to_owned();
    };
    let (user, host, port) = split(authority);
    let scheme = uri.scheme_str().or(origin.and_then(Uri::scheme_str));
    let scheme = scheme.unwrap_or(if port == "443" { "https" } else { "http" });
    let mut url = String::with_capacity(scheme.len() + 4 + authority.len() + uri.path().len());
    url.push_str(scheme);
    url.push_str("://");
    let Some(usual_port) = usual_port(scheme) else {
        // The rules of other schemes are unknown.
        url.push_str(authority);
        url.push_str(uri.path());
        return url;
    };
    url.push_str(user);
    push_host(&mut url, host);
    if !port.is_empty() && port.parse() != Ok(usual_port) {
        let digits = port.trim_start_matches('0');
        url.push(':');
        url.push_str(if digits.is_empty() { "0" } else { digits });
    }
    push_path(&mut url, uri.path());
    url
}

/// User information with its `@`, host and port.
#[inline]
fn split(authority: &str) -> (&str, &str, &str) {
    let at = authority.rfind('@').map_or(0, |at| at + 1);
    let (user, rest) = authority.split_at_checked(at).unwrap_or(("", authority));
    match rest.rsplit_once(':') {
        // As in `[::1]`.
        Some((_, port)) if port.contains(']') => (user, rest, ""),
        Some((host, port)) => (user, host, port),
        None => (user, rest, ""),
    }
}

#[inline]
fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

#[inline]
fn push_host(url: &mut String, host: &str) {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-' || byte == b'_';
    let last = host.trim_end_matches('.').rsplit('.').next();
    let is_name = last.is_some_and(|label| label.bytes().any(is_plain) && !label.starts_with("0x"));
    if is_name
        && host
            .bytes()
            .all(|byte| is_plain(byte) || byte.is_ascii_digit() || byte == b'.')
    {
        url.push_str(host);
    } else {
        push_unusual_host(url, host);
    }
}

/// Addresses, and names in capitals.
#[cold]
fn push_unusual_host(url: &mut String, host: &str) {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if let Some(address) = inner.and_then(|inner| inner.parse::<Ipv6Addr>().ok()) {
        let text = match address.segments() {
            [0, 0, 0, 0, 0, 0xffff, high, low] => format!("[::ffff:{high:x}:{low:x}]"),
            _ => format!("[{address}]"),
        };
        url.push_str(&text);
        return;
    }
    match ipv4(host) {
        Some(address) => url.push_str(&std::net::Ipv4Addr::from(address).to_string()),
        None => url.extend(host.chars().map(|character| character.to_ascii_lowercase())),
    }
}

/// An address in one to four parts, each decimal, octal or hexadecimal.
fn ipv4(host: &str) -> Option<u32> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, bytes) = parts.split_last()?;
    if bytes.len() > 3 || bytes.iter().any(|byte| *byte > 255) {
        return None;
    }
    let room = 32 - 8 * bytes.len() as u32;
    let first = bytes.iter().fold(0, |address, byte| address << 8 | byte);
    (*last < 1 << room).then_some(((first << room) | last) as u32)
}

fn number(part: &str) -> Option<u64> {
    let (digits, radix) = match part.as_bytes() {
        [b'0', b'x' | b'X', ..] => (part.get(2..)?, 16),
        [b'0', _, ..] => (part.get(1..)?, 8),
        _ => (part, 10),
    };
    match digits {
        "" if radix == 16 => Some(0),
        _ if digits.starts_with('+') => None,
        _ => u64::from_str_radix(digits, radix).ok(),
    }
}

#[inline]
fn push_path(url: &mut String, path: &str) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~!$&'()*+,;=:@".contains(&byte);
    let is_rooted = path.starts_with('/');
    if is_rooted && path.bytes().all(is_plain) {
        url.push_str(path);
    } else {
        push_unusual_path(url, path);
    }
}

/// A path with `.` and `..` in it, or with characters that are to be encoded. `OPTIONS
/// *` and CONNECT have none.
#[cold]
fn push_unusual_path(url: &mut String, path: &str) {
    let start = url.len();
    let mut segments = path
        .strip_prefix('/')
        .unwrap_or_default()
        .split(['/', '\\'])
        .peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match dots(segment) {
            0 => {
                url.push('/');
                segment.bytes().for_each(|byte| push_encoded(url, byte));
                continue;
            }
            1 => {}
            _ => {
                let path = url.get(start..).unwrap_or_default();
                let end = start + path.rfind('/').unwrap_or_default();
                url.truncate(end);
            }
        }
        if is_last {
            url.push('/');
        }
    }
}

/// 1 for `.`, 2 for `..`, also if they are encoded; 0 otherwise.
fn dots(segment: &str) -> usize {
    let mut rest = segment;
    let mut dots = 0;
    while !rest.is_empty() {
        let encoded = ["%2e", "%2E"];
        let behind = rest.strip_prefix('.');
        match behind.or_else(|| encoded.iter().find_map(|dot| rest.strip_prefix(dot))) {
            Some(behind) if dots < 2 => rest = behind,
            _ => return 0,
        }
        dots += 1;
    }
    dots
}

fn push_encoded(url: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_graphic() && !b"\"#<>?`{}".contains(&byte) {
        url.push(char::from(byte));
        return;
    }
    url.push('%');
    for digit in [byte >> 4, byte & 15] {
        let digit = DIGITS.get(usize::from(digit)).copied();
        url.push(char::from(digit.unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use http::header::{HOST, HeaderValue};

    use super::*;

    fn shown(uri: &str, header: &str, origin: &str) -> String {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert(HOST, HeaderValue::from_str(header).unwrap());
        }
        let origin = (!origin.is_empty()).then(|| origin.parse().unwrap());
        url(&uri.parse().unwrap(), &headers, origin.as_ref())
    }

    #[test]
    fn all_forms_have_a_host_or_are_a_path() {
        for (uri, header, origin, expected) in [
            ("http://stock/items", "", "", "http://stock/items"),
            ("http://stock", "", "", "http://stock/"),
            ("http://stock/a?b=c", "", "", "http://stock/a"),
            (
                "https://stock/a",
                "other",
                "http://third",
                "https://stock/a",
            ),
            // Origin form.
            ("/pkg.Service/Method", "", "", "/pkg.Service/Method"),
            ("/items", "stock:8080", "", "http://stock:8080/items"),
            ("/items", "stock:443", "", "https://stock/items"),
            ("/items", "STOCK:80", "", "http://stock/items"),
            ("/items", "stock", "https://other:1", "https://stock/items"),
            ("/items", "", "https://other:1", "https://other:1/items"),
            ("/items", "", "https://other:443", "https://other/items"),
            ("/items", "me:word@stock", "", "http://stock/items"),
            ("//evil/items", "stock", "", "http://stock//evil/items"),
            // Asterisk form.
            ("*", "stock", "", "http://stock/"),
            ("*", "", "", "*"),
            // Authority form.
            ("stock:443", "", "", "https://stock/"),
            ("stock:8443", "other", "", "http://stock:8443/"),
            ("stock:8443", "", "https://other", "https://stock:8443/"),
            // Schemes with rules of their own.
            ("ftp://Stock:21/../a", "", "", "ftp://Stock:21/../a"),
        ] {
            assert_eq!(
                shown(uri, header, origin),
                expected,
                "{uri} {header} {origin}"
            );
        }
    }

    #[test]
    fn urls_are_those_of_the_url_crate() {
        let hosts = [
            "stock",
            "STOCK",
            "a.b-c",
            "a_b",
            "stock.",
            "1a",
            "a.1a",
            "[::1]",
            "[0:0::1]",
            "[2001:DB8:0:0:1:0:0:1]",
            "[::ffff:1.2.3.4]",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0X7F000001",
            "017700000001",
            "1.2.3",
            "1.2.3.4.",
            "0",
            "4294967295",
            "1.0x",
        ];
        let ports = [
            "", ":", ":80", ":443", ":8080", ":0", ":0080", ":00443", ":65535",
        ];
        let paths = [
            "",
            "/",
            "/a",
            "/a/",
            "/a/b",
            "/.",
            "/..",
            "/./",
            "/../",
            "/a/.",
            "/a/..",
            "/a/./b",
            "/a/../b",
            "/a/../../b",
            "/a/b/../..",
            "/a//b",
            "//",
            "//..",
            "/a//../b",
            "/.a",
            "/a.",
            "/a.b",
            "/...",
            "/%2e",
            "/%2E%2e/a",
            "/a/.%2e/b",
            "/a/%2e./b",
            "/%2e%2e%2e",
            "/a\\b",
            "/a\\..\\b",
            "/\"a\"",
            "/{a}",
            "/a|b",
            "/ä",
            "/a%20b",
            "/a%2fb",
            "/%zz",
            "/a;b=c",
            "/a:b@c",
            "/a'b",
            "/[a]",
            "/^",
            "/~a",
            "/a,b",
            "/a$b",
            "/*",
            "/a?b",
            "/a/..?b",
        ];
        let mut compared = 0;
        for scheme in ["http", "https", "ws", "wss", "HTTP", "hTTps"] {
            for host in hosts {
                for (port, path) in ports
                    .iter()
                    .flat_map(|port| paths.iter().map(move |path| (port, path)))
                {
                    let text = format!("{scheme}://{host}{port}{path}");
                    let Ok(uri) = text.parse::<Uri>() else {
                        continue;
                    };
                    let Ok(mut expected) = url::Url::parse(&text) else {
                        continue;
                    };
                    expected.set_query(None);
                    let shown = super::url(&uri, &HeaderMap::new(), None);
                    assert_eq!(shown, expected.as_str(), "{text}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 10_000, "{compared}");
    }
}
