//! The front part of a URL: scheme, user information, host and port.

use crate::secrets::search::{last, split_at_any};

/// A URL cut at the places that redaction needs.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Address<'a> {
    /// Up to and with `//`; empty where there is no scheme.
    pub(super) prefix: &'a str,
    /// Whether user information stood between `prefix` and `host`.
    pub(super) user: bool,
    /// Host and port.
    pub(super) host: &'a str,
    /// The rest, beginning with one of `stops` or empty.
    pub(super) rest: &'a str,
}

impl<'a> Address<'a> {
    /// Cuts `text`, which begins behind `prefix` and has its last `@` at
    /// `last_at`. The host ends at one of `stops`.
    ///
    /// Passwords with one of `stops` in them are not valid in a URL, and are
    /// common all the same: what stands behind the last colon shows them, for
    /// it is not a port. One that begins with digits and such a sign is taken
    /// for a port.
    pub(super) fn cut(
        prefix: &'a str,
        text: &'a str,
        last_at: Option<usize>,
        stops: &[char],
    ) -> Self {
        let (authority, rest) = split_at_any(text, stops);
        if let Some(at) = last(authority, '@') {
            return Self {
                prefix,
                user: true,
                host: authority.get(at + 1..).unwrap_or_default(),
                rest,
            };
        }
        if !may_end_in_port(authority) {
            if let Some(behind) = last_at.and_then(|at| text.get(at + 1..)) {
                let (host, rest) = split_at_any(behind, stops);
                return Self {
                    prefix,
                    user: true,
                    host,
                    rest,
                };
            }
        }
        Self {
            prefix,
            user: false,
            host: authority,
            rest,
        }
    }
}

fn may_end_in_port(authority: &str) -> bool {
    match last(authority, ':').and_then(|at| authority.get(at + 1..)) {
        None => true,
        Some(port) => {
            let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            digits || authority.ends_with(']')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut() {
        for (text, user, host, rest) in [
            ("h", false, "h", ""),
            ("h:80/p?q@r", false, "h:80", "/p?q@r"),
            ("[::1]:80/p", false, "[::1]:80", "/p"),
            ("[fe80::a]/p@x", false, "[fe80::a]", "/p@x"),
            ("u:p@h/p", true, "h", "/p"),
            ("u:p@q@h/p@x", true, "h", "/p@x"),
            ("u:p/w@h/p", true, "h", "/p"),
            ("u:p?w#x@h?q", true, "h", "?q"),
            ("u:/w@h", true, "h", ""),
            ("u:1/w@h", false, "u:1", "/w@h"),
            ("@h", true, "h", ""),
            ("", false, "", ""),
        ] {
            let address = Address::cut("x://", text, text.rfind('@'), &['/', '?', '#']);
            let expected = Address {
                prefix: "x://",
                user,
                host,
                rest,
            };
            assert_eq!(address, expected, "{text}");
        }
    }
}
