//! Writing JSON, straight into the body of a request.

use std::io::Write as _;

pub use self::number::Number;

mod number;

/// An object being written. It is closed by the function that opened it.
pub(crate) struct Object<'a> {
    body: &'a mut Vec<u8>,
    empty: bool,
}

/// Appends one object, whose members `fill` writes.
pub(crate) fn object(body: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    nested(body, fill);
}

/// Appends the members that `fill` writes, without the braces around them.
pub(crate) fn members(body: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    fill(&mut Object { body, empty: true });
}

impl Object<'_> {
    pub(crate) fn integer(&mut self, key: &str, value: impl Into<Option<u64>>) {
        if let Some(value) = value.into() {
            self.key(key);
            unsigned(self.body, value);
        }
    }

    /// A number from 0 to a million, to six digits behind the point; others are
    /// left out.
    pub(crate) fn fraction(&mut self, key: &str, value: f64) {
        if (0.0..=1e6).contains(&value) {
            self.key(key);
            millionths(self.body, (value * 1e6).round() as u64);
        }
    }

    /// A finite number.
    pub(crate) fn number(&mut self, key: &str, number: Number) {
        self.key(key);
        number.write(self.body);
    }

    pub(crate) fn text<'t>(&mut self, key: &str, value: impl Into<Option<&'t str>>) {
        if let Some(value) = value.into() {
            self.key(key);
            string(self.body, value);
        }
    }

    /// An object within.
    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        nested(self.body, fill);
    }

    /// An object within, left out if it has no members.
    pub(crate) fn group(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        let (length, empty) = (self.body.len(), self.empty);
        self.key(key);
        if nested(self.body, fill) {
            self.body.truncate(length);
            self.empty = empty;
        }
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.body.push(b',');
        }
        self.empty = false;
        string(self.body, key);
        self.body.push(b':');
    }
}

/// Whether the object is empty.
fn nested(body: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) -> bool {
    body.push(b'{');
    let mut object = Object { body, empty: true };
    fill(&mut object);
    let empty = object.empty;
    body.push(b'}');
    empty
}

/// Appends `text` as a JSON string.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if is_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        escaped(out, text.as_bytes());
    }
    out.push(b'"');
}

/// True for ASCII without anything to escape: most of what there is.
#[inline]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    is_plain_without(text, [])
}

/// True for ASCII without anything to escape and without `special` bytes.
/// Looked at in pieces of a fixed size and without a branch, for which the
/// compiler has vector instructions; the last piece overlaps the one before.
#[inline]
pub(crate) fn is_plain_without<const N: usize>(text: &[u8], special: [u8; N]) -> bool {
    let is_found = |byte: &u8| {
        let is_special = |found, special: &u8| found | (byte == special);
        special.iter().fold(is_odd(*byte), is_special)
    };
    let any = |piece: &[u8]| piece.iter().fold(false, |any, byte| any | is_found(byte));
    if let Some(last) = text.last_chunk::<16>() {
        let mut rest = text;
        while let Some((piece, behind)) = rest.split_first_chunk::<16>() {
            if any(piece) {
                return false;
            }
            rest = behind;
        }
        return !any(last);
    }
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => !any(first) & !any(last),
        _ => !text.iter().any(is_found),
    }
}

#[inline]
fn is_odd(byte: u8) -> bool {
    !matches!(byte, b' '..=0x7f) | (byte == b'"') | (byte == b'\\')
}

/// Appends text without its quotes. Runs without anything to escape are copied
/// whole.
#[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
fn escaped(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(at) = text.iter().position(|byte| ESCAPES[*byte as usize] != 0) {
        let (plain, rest) = text.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, tail)) = rest.split_first() else {
            return;
        };
        escape(out, *byte);
        text = tail;
    }
    out.extend_from_slice(text);
}

#[cold]
#[expect(
    clippy::indexing_slicing,
    reason = "a byte indexes a table of 256, four bits one of 16"
)]
fn escape(out: &mut Vec<u8>, byte: u8) {
    match ESCAPES[byte as usize] {
        b'u' => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let digits = [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
        }
        letter => out.extend_from_slice(&[b'\\', letter]),
    }
}

/// The letter behind the backslash; 0 where none is needed.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[0x08] = b'b';
    table[0x0c] = b'f';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table
};

/// Appends a number without an allocation.
#[inline]
pub(crate) fn unsigned(out: &mut Vec<u8>, number: u64) {
    match u8::try_from(number) {
        Ok(digit @ 0..10) => out.push(b'0' + digit),
        _ => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Appends so many millionths, without zeros at the end.
fn millionths(out: &mut Vec<u8>, number: u64) {
    unsigned(out, number / 1_000_000);
    let mut rest = number % 1_000_000;
    if rest > 0 {
        out.push(b'.');
    }
    while rest > 0 {
        out.push(b'0' + (rest / 100_000) as u8);
        rest = rest % 100_000 * 10;
    }
}

/// Appends a number without an allocation.
#[inline]
pub(crate) fn signed(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a number in the shortest form that reads back the same. False where
/// JSON has none for it.
pub(crate) fn float(out: &mut Vec<u8>, number: f64) -> bool {
    if number.is_finite() {
        // Writing to a vector cannot fail.
        let _ = write!(out, "{number:?}");
    }
    number.is_finite()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(fill: impl FnOnce(&mut Object<'_>)) -> String {
        let mut body = Vec::new();
        object(&mut body, fill);
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn members_are_separated_and_absent_ones_left_out() {
        let text = written(|o| {
            o.integer("a", None);
            o.group("none", |_| {});
            o.integer("b", u64::MAX);
            o.object("c", |o| o.fraction("d", 0.123_456_78));
            o.fraction("e", f64::NAN);
            o.fraction("f", 2.0);
            o.text("g", "x");
            o.object("h", |_| {});
            o.group("i", |o| o.integer("j", 1));
        });
        let expected =
            r#"{"b":18446744073709551615,"c":{"d":0.123457},"f":2,"g":"x","h":{},"i":{"j":1}}"#;
        assert_eq!(text, expected);
        assert_eq!(written(|_| {}), "{}");
    }

    #[test]
    fn every_odd_byte_is_found_at_every_place() {
        for len in 1..40 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'a'; len];
                    text[at] = byte;
                    assert_eq!(is_plain(&text), !is_odd(byte), "{byte:#x} at {at} of {len}");
                }
            }
        }
        assert!(is_plain(b""));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_text_and_number_is_read_back(text: String, control in "[\\x00-\\x20\"\\\\\\x7fü]*", value in 0.0..1e6) {
            for text in [text, control] {
                let other = format!("{text}.");
                let json = written(|o| {
                    o.text(&text, text.as_str());
                    o.object(&other, |o| o.fraction("v", value));
                });
                let read: serde_json::Value = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(&read[&text], &serde_json::json!(text));
                prop_assert!((read[&other]["v"].as_f64().unwrap() - value).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn strings_read_back_as_they_were() {
        let all: String = (0..0x500).filter_map(char::from_u32).collect();
        for text in [
            "",
            "plain",
            "\"\\\n\t\r\u{8}\u{c}\u{0}\u{1f}\u{7f}",
            "ä€😀",
            &all,
        ] {
            let mut out = Vec::new();
            string(&mut out, text);
            let back: String = serde_json::from_slice(&out).unwrap();
            assert_eq!(back, text);
        }
    }

    #[test]
    fn numbers_read_back_as_they_were() {
        for number in [0, 1, 9, 10, 99, 1_700_000_000_123, u64::MAX] {
            let mut out = Vec::new();
            unsigned(&mut out, number);
            assert_eq!(serde_json::from_slice::<u64>(&out).unwrap(), number);
        }
        for number in [0, -1, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            signed(&mut out, number);
            assert_eq!(serde_json::from_slice::<i64>(&out).unwrap(), number);
        }
        for number in [0.0, -0.5, 1e300, f64::MIN_POSITIVE, 1.0 / 3.0] {
            let mut out = Vec::new();
            assert!(float(&mut out, number));
            assert_eq!(
                serde_json::from_slice::<f64>(&out).unwrap(),
                number,
                "{out:?}"
            );
        }
        assert!(!float(&mut Vec::new(), f64::NAN));
        assert!(!float(&mut Vec::new(), f64::INFINITY));
    }
}
