//! Keys as they stand in texts: percent-encoded, with blanks as `+`.

use super::fold;
use super::matcher::Matcher;

/// A longer encoded key is taken for secret, unseen.
const MAX_ENCODED: usize = 512;

/// Encoded more than once, by a proxy or on purpose.
const MAX_ROUNDS: usize = 3;

/// What the key of a password has in it.
pub(super) const PASSWORDS: [&str; 3] = ["password", "passwd", "pwd"];

/// Whether `key`, raw or decoded, is secret to `matcher`.
pub(super) fn is_secret(matcher: &Matcher, key: &str) -> bool {
    test(key, |plain| matcher.is_secret(plain))
}

/// As [`is_secret`]; passwords are secret to every matcher.
pub(super) fn is_secret_or_password(matcher: &Matcher, key: &str) -> bool {
    test(key, |plain| matcher.is_secret(plain) || is_password(plain))
}

/// Keys that hold a password whatever the matcher says
/// (`reference`: Go `password=`, Node `PWD=`).
fn is_password(key: &str) -> bool {
    PASSWORDS.iter().any(|term| fold::contains(key, term))
}

fn test(key: &str, is_secret: impl Fn(&str) -> bool) -> bool {
    let key = key.trim();
    if key.is_empty() {
        return false;
    }
    if is_secret(key) {
        return true;
    }
    if !key.contains(['%', '+']) {
        return false;
    }
    let Some(mut plain) = Plain::decoded(key.as_bytes()) else {
        return true;
    };
    for _ in 0..MAX_ROUNDS {
        if plain.with_text(|text| is_secret(text.trim())) {
            return true;
        }
        if !plain.bytes().contains(&b'%') {
            break;
        }
        plain = match Plain::decoded(plain.bytes()) {
            Some(next) => next,
            None => return true,
        };
    }
    false
}

/// A decoded key on the stack.
struct Plain {
    buffer: [u8; MAX_ENCODED],
    length: usize,
}

impl Plain {
    fn new() -> Self {
        Self {
            buffer: [0; MAX_ENCODED],
            length: 0,
        }
    }

    /// `None` if the text is too long.
    fn decoded(encoded: &[u8]) -> Option<Self> {
        let mut plain = Self::new();
        let mut rest = encoded;
        loop {
            rest = match rest {
                [] => return Some(plain),
                [b'%', high, low, tail @ ..] => match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => {
                        plain.push(high << 4 | low)?;
                        tail
                    }
                    _ => {
                        plain.push(b'%')?;
                        rest.get(1..)?
                    }
                },
                [b'+', tail @ ..] => {
                    plain.push(b' ')?;
                    tail
                }
                [byte, tail @ ..] => {
                    plain.push(*byte)?;
                    tail
                }
            };
        }
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        *self.buffer.get_mut(self.length)? = byte;
        self.length += 1;
        Some(())
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// Bytes that are not UTF-8 are left out, so that none of them hides the
    /// word it stands in.
    fn with_text(&self, test: impl Fn(&str) -> bool) -> bool {
        if let Ok(text) = std::str::from_utf8(self.bytes()) {
            return test(text);
        }
        let mut clean = Self::new();
        for chunk in self.bytes().utf8_chunks() {
            for byte in chunk.valid().bytes() {
                if clean.push(byte).is_none() {
                    return true;
                }
            }
        }
        std::str::from_utf8(clean.bytes()).map_or(true, test)
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_keys_are_decoded_before_they_are_compared() {
        let matcher = Matcher::default();
        let long = format!("%20{}", "a".repeat(MAX_ENCODED));
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
