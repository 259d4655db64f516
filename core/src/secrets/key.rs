//! Keys as they stand in texts: percent-encoded, with blanks as `+`.

use crate::secrets::decode::any_decoded;
use crate::secrets::escapes::any_unescaped;
use crate::secrets::ignore_case;
use crate::secrets::matcher::Matcher;
use crate::secrets::redact::is_credential;
use crate::secrets::signed;
use crate::secrets::work_counter;

/// Bytes of the longest key that is looked at; a longer one is taken for secret, unseen.
pub(super) const MAX_KEY: usize = 256;

/// What the key of a password has in it.
pub(super) const PASSWORDS: [&str; 3] = ["password", "passwd", "pwd"];

/// Which keys are secret in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys<'m> {
    matcher: &'m Matcher,
    /// Passwords and the headers of credentials are secret to every matcher.
    with_passwords: bool,
}

impl<'m> Keys<'m> {
    pub(super) fn of(matcher: &'m Matcher) -> Self {
        Self {
            matcher,
            with_passwords: false,
        }
    }

    pub(super) fn and_passwords(matcher: &'m Matcher) -> Self {
        Self {
            matcher,
            with_passwords: true,
        }
    }

    /// Whether `key`, raw or decoded, as a whole or one of its parts in brackets, is secret.
    pub(super) fn is_secret(self, key: &str, in_query: bool) -> bool {
        let is_secret = |key: &str| {
            if self.with_passwords {
                is_secret_or_password(self.matcher, key)
            } else {
                is_secret(self.matcher, key)
            }
        };
        let is_signed = |key: &str| {
            in_query && self.matcher.hides_signed_urls() && test(key, signed::is_in_query)
        };
        let is_one = |key: &str| is_secret(key) || is_signed(key);
        is_one(key) || (key.contains(['[', ']', '\\']) && key.split(['[', ']', '\\']).any(is_one))
    }
}

/// Whether `key`, raw or decoded, is secret to `matcher`, or the header of credentials.
pub(super) fn is_secret(matcher: &Matcher, key: &str) -> bool {
    test(key, |plain| {
        matcher.is_secret(plain) || is_credential(plain.as_bytes()) || is_signed(matcher, plain)
    })
}

/// As [`is_secret`]; passwords and the headers of credentials are secret to every
/// matcher.
pub(super) fn is_secret_or_password(matcher: &Matcher, key: &str) -> bool {
    let is_ours = |key: &str| is_password(key) || is_credential(key.as_bytes());
    test(key, |plain| {
        matcher.is_secret(plain) || is_ours(plain) || is_signed(matcher, plain)
    })
}

fn is_signed(matcher: &Matcher, key: &str) -> bool {
    matcher.hides_signed_urls() && signed::is_anywhere(last_name(key))
}

/// Keys that hold a password whatever the matcher says
/// (`password=` as in Go, `PWD=` as in Node.js).
pub(super) fn is_password(key: &str) -> bool {
    PASSWORDS
        .iter()
        .any(|term| ignore_case::contains(key, term))
}

/// The last of names with dots between them, as tags have: `http.access_token`.
fn last_name(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// What stands behind the signs in a key that were escaped: `?a=1\u0026token`.
fn behind_signs(key: &str) -> &str {
    let is_sign = |c: char| c.is_whitespace() || "&?#;,\"'`{[(".contains(c);
    key.rsplit(is_sign).next().unwrap_or(key)
}

fn test(key: &str, is_secret: impl Fn(&str) -> bool) -> bool {
    let key = key.trim();
    work_counter::count(key.len().min(MAX_KEY));
    if key.is_empty() {
        return false;
    }
    if key.len() > MAX_KEY || is_secret(key) {
        return true;
    }
    let is_one = |plain: &str| is_secret(plain.trim()) || is_secret(behind_signs(plain.trim()));
    if key.contains('\\') && any_unescaped(key, is_one) {
        return true;
    }
    if !key.contains(['%', '+']) {
        return false;
    }
    any_decoded::<MAX_KEY>(key, |plain| is_secret(plain.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_keys_are_decoded_before_they_are_compared() {
        let matcher = Matcher::default();
        let long = format!("%20{}", "a".repeat(MAX_KEY));
        for key in [
            "password",
            "%70assword",
            "p%61ss",
            "%50ASS",
            "%2570ass",
            "+pass",
            "pas%FFs",
            "pas%C3s",
            long.as_str(),
        ] {
            assert!(is_secret(&matcher, key), "{key}");
        }
        for key in ["", "%", "%7", "%zz", "page", "a+b", "%70age"] {
            assert!(!is_secret(&matcher, key), "{key}");
        }
    }

    #[test]
    fn blanks_around_a_key_do_not_count() {
        let matcher = Matcher::parse("equals:token", &mut Vec::new()).unwrap();
        assert!(is_secret(&matcher, "+token"));
        assert!(is_secret(&matcher, "%20token%20"));
        assert!(!is_secret(&matcher, "token+2"));
    }

    #[test]
    fn passwords_are_secret_to_every_matcher() {
        let none = Matcher::parse("none", &mut Vec::new()).unwrap();
        assert!(is_secret_or_password(&none, "PWD"));
        assert!(is_secret_or_password(&none, "db.Password"));
        assert!(!is_secret_or_password(&none, "key"));
    }
}
