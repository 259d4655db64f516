//! Percent-encoded text, read without an allocation.

use crate::secrets::work_counter;

/// Encoded more than once, by a proxy or on purpose.
const MAX_ROUNDS: usize = 3;

/// Whether `test` is true of `text`, decoded once or more often. Also true where
/// it takes more than `N` bytes: what cannot be seen may be anything.
pub(super) fn any_decoded<const N: usize>(text: &str, test: impl Fn(&str) -> bool) -> bool {
    let Some(mut plain) = Plain::<N>::decoded(text.as_bytes()) else {
        return true;
    };
    for _ in 0..MAX_ROUNDS {
        if plain.with_text(&test) {
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

/// A decoded text on the stack.
struct Plain<const N: usize> {
    buffer: [u8; N],
    length: usize,
}

impl<const N: usize> Plain<N> {
    fn new() -> Self {
        Self {
            buffer: [0; N],
            length: 0,
        }
    }

    /// `None` if the text is too long.
    fn decoded(encoded: &[u8]) -> Option<Self> {
        work_counter::count(encoded.len());
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
    fn texts_are_decoded_up_to_three_times() {
        let is = |text: &str, wanted: &str| any_decoded::<16>(text, |plain| plain == wanted);
        for (text, wanted) in [
            ("%61b", "ab"),
            ("%2561b", "ab"),
            ("%252561b", "ab"),
            ("a+b%", "a b%"),
            ("a%zz%4", "a%zz%4"),
            ("a%FFb", "ab"),
            ("a%C3%A4", "aä"),
        ] {
            assert!(is(text, wanted), "{text}");
        }
        assert!(!is("%25252561b", "ab"));
        assert!(is("12345678901234567", "too long"));
        assert!(!is("1234567890123456", "not too long"));
    }
}
