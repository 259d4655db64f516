//! Writing JSON, straight into the body of a request.

/// Appends `text` as a JSON string.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text.as_bytes());
    out.push(b'"');
}

/// Appends text without its quotes. Runs without anything to escape are copied
/// whole.
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
pub(crate) fn unsigned(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut from = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        from -= 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

/// Appends a number without an allocation.
pub(crate) fn signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    unsigned(out, number.unsigned_abs());
}

/// Appends a number in the shortest form that reads back the same. False where
/// JSON has none for it.
pub(crate) fn float(out: &mut Vec<u8>, number: f64) -> bool {
    use std::io::Write;
    if number.is_finite() {
        // Writing to a vector cannot fail.
        let _ = write!(out, "{number:?}");
    }
    number.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

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
