//! Trace and span ids: 64 bits on Instana's wire, 128 in the W3C's.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::base::clock;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two lower-case digits for every byte value.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The 16 lower-case digits of an id.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
pub(crate) fn hex(id: u64) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h] = id.to_be_bytes().map(|byte| PAIRS[byte as usize]);
    let mut out = [0; 16];
    for (to, from) in out.chunks_exact_mut(2).zip([a, b, c, d, e, f, g, h]) {
        to.copy_from_slice(&from);
    }
    out
}

/// Writes digits into a longer text, where they fit.
#[inline]
pub(crate) fn put<const N: usize>(text: &mut [u8], at: usize, digits: [u8; N]) {
    if let Some(place) = text.get_mut(at..at + N) {
        place.copy_from_slice(&digits);
    }
}

/// A 128-bit id of 1 to 32 digits in either case, as (high, low) halves: what
/// `X-INSTANA-T` and the `in` member of `tracestate` may hold.
/// All zeros count as absent.
#[inline]
pub(crate) fn parse_long(text: &[u8]) -> Option<(u64, u64)> {
    if text.len() <= 16 {
        return parse(text).map(|low| (0, low));
    }
    let (high, low) = text.split_last_chunk()?;
    let (high, low) = (short(high, EITHER_CASE)?, digits(low, EITHER_CASE)?);
    (high | low != 0).then_some((high, low))
}

/// A 64-bit id of 1 to 16 digits in either case. All zeros count as absent.
#[inline]
pub(crate) fn parse(text: &[u8]) -> Option<u64> {
    let id = match text.try_into() {
        Ok(text) => digits(text, EITHER_CASE),
        Err(_) => short(text, EITHER_CASE),
    };
    id.filter(|id| *id != 0)
}

/// Sixteen lower-case digits, as the W3C demands.
#[inline]
pub(crate) fn parse_strict(text: &[u8; 16]) -> Option<u64> {
    digits(text, LOWER_CASE)
}

/// Two lower-case digits.
#[inline]
pub(crate) fn parse_byte(text: &[u8; 2]) -> Option<u8> {
    let [high, low] = text;
    let value = |digit: &u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    Some(value(high)? << 4 | value(low)?)
}

/// What is added to the bits of a letter before it is read: the bit that makes
/// it lower case, or none.
const EITHER_CASE: u64 = ONES << 5;
const LOWER_CASE: u64 = 0;

/// 1 in every byte of a word.
const ONES: u64 = u64::MAX / 0xff;

/// Up to 16 digits.
#[cold]
fn short(text: &[u8], case: u64) -> Option<u64> {
    let mut padded = [b'0'; 16];
    let place = padded.len().checked_sub(text.len())?;
    padded.get_mut(place..)?.copy_from_slice(text);
    digits(&padded, case)
}

#[inline]
fn digits(text: &[u8; 16], case: u64) -> Option<u64> {
    let (high, rest) = text.split_first_chunk()?;
    let low = rest.first_chunk()?;
    let (high, high_odd) = eight_digits(u64::from_be_bytes(*high), case);
    let (low, low_odd) = eight_digits(u64::from_be_bytes(*low), case);
    (high_odd | low_odd == 0).then_some(high << 32 | low)
}

/// The value of eight digits, and something other than 0 where there is more
/// than digits. Each byte is read as the digit it would be, and has to be what
/// that digit is written as.
#[inline]
fn eight_digits(text: u64, case: u64) -> (u64, u64) {
    // 1 in bytes from `@` on.
    let letters = text >> 6 & ONES;
    let text = text | (letters << 5 & case);
    // A letter's low half is 1 to 6.
    let values = (text & (0x0f * ONES)) + 9 * letters;
    let written = values + u64::from(b'0') * ONES + u64::from(b'a' - b'0' - 10) * letters;
    let from_ten = (values + 6 * ONES) & (0xf0 * ONES);
    let odd = (written ^ text) | (from_ten ^ letters << 4) | (values & (0xf0 * ONES));
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    ((fours | fours >> 16) & 0xffff_ffff, odd)
}

/// A thread's random numbers: a counter of random step, mixed by a 128-bit
/// product (wyrand). A step of its own keeps one thread's numbers from being
/// another's some time later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generator {
    counter: u64,
    /// Odd; 0 means "not seeded".
    step: u64,
}

impl Generator {
    pub(crate) const fn unseeded() -> Self {
        Self {
            counter: 0,
            step: 0,
        }
    }

    /// A random id, never 0.
    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        loop {
            if self.step == 0 {
                *self = Self::seeded();
            }
            self.counter = self.counter.wrapping_add(self.step);
            let factor = u128::from(self.counter ^ 0xe703_7ed1_a0b4_28db);
            let product = u128::from(self.counter) * factor;
            let id = (product >> 64) as u64 ^ product as u64;
            if id != 0 {
                return id;
            }
        }
    }

    /// The keys of `RandomState` come from the system once a thread and are
    /// inherited by a forked child: process id and clock tell the two apart.
    #[cold]
    fn seeded() -> Self {
        let keys = RandomState::new();
        let half = |which: u8| {
            let mut hasher = keys.build_hasher();
            hasher.write_u8(which);
            hasher.write_u32(std::process::id());
            hasher.write_u64(clock::ticks());
            hasher.finish()
        };
        Self {
            counter: half(0),
            step: half(1) | 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_with_sixteen_lower_case_digits() {
        assert_eq!(&hex(0), b"0000000000000000");
        assert_eq!(&hex(0xfa23_75d7_11a4_ca0f), b"fa2375d711a4ca0f");
        assert_eq!(&hex(u64::MAX), b"ffffffffffffffff");
    }

    #[test]
    fn ids_of_every_length_are_read() {
        let table: [(&str, Option<(u64, u64)>); 13] = [
            ("", None),
            ("0", None),
            ("1", Some((0, 1))),
            ("fa2375d711a4ca0f", Some((0, 0xfa23_75d7_11a4_ca0f))),
            ("FA2375D711A4CA0F", Some((0, 0xfa23_75d7_11a4_ca0f))),
            ("1fa2375d711a4ca0f", Some((1, 0xfa23_75d7_11a4_ca0f))),
            (
                "0000000000000000fa2375d711a4ca0f",
                Some((0, 0xfa23_75d7_11a4_ca0f)),
            ),
            ("00000000000000010000000000000000", Some((1, 0))),
            ("00000000000000000000000000000000", None),
            (
                "0373e5f7aca1cdef3483a5fe1cd42e30",
                Some((0x0373_e5f7_aca1_cdef, 0x3483_a5fe_1cd4_2e30)),
            ),
            ("0373e5f7aca1cdef3483a5fe1cd42e300", None),
            ("fa2375d711a4ca0g", None),
            ("fa23 75d7", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_long(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(
            parse(b"0373e5f7aca1cdef3"),
            None,
            "17 digits are no span id"
        );
        let id = 0x0af7_0000_0000_0001;
        assert_eq!(parse(b"0Af7000000000001"), Some(id));
        assert_eq!(parse_strict(b"0af7000000000001"), Some(id));
        let upper = parse_strict(b"0Af7000000000001");
        assert_eq!(upper, None, "the W3C knows lower case only");
    }

    #[test]
    fn every_byte_is_a_digit_or_none_at_every_place() {
        for at in 0..16 {
            for byte in 0..=u8::MAX {
                let mut text = *b"0123456789abcdef";
                text[at] = byte;
                let digit = char::from(byte).to_digit(16);
                let expected = digit.map(|digit| {
                    let shift = 4 * (15 - at);
                    0x0123_4567_89ab_cdef & !(15 << shift) | u64::from(digit) << shift
                });
                assert_eq!(parse(&text), expected, "{byte:#x} at {at}");
                let strict = expected.filter(|_| !byte.is_ascii_uppercase());
                assert_eq!(parse_strict(&text), strict, "{byte:#x} at {at}");
                let pair = parse_byte(&[b'1', byte]);
                let digit = digit.filter(|_| !byte.is_ascii_uppercase());
                assert_eq!(pair, digit.map(|digit| 16 + digit as u8), "{byte:#x}");
                assert_eq!(parse_byte(&[byte, b'0']).is_some(), digit.is_some());
            }
        }
    }

    #[test]
    fn generated_ids_are_distinct_over_threads() {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                std::thread::spawn(|| {
                    let mut generator = Generator::unseeded();
                    (0..10_000).map(|_| generator.next()).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut ids: Vec<u64> = threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 80_000);
        assert!(!ids.contains(&0));
        let ones: u32 = ids.iter().map(|id| id.count_ones()).sum();
        let mean = f64::from(ones) / 80_000.0;
        assert!((31.8..32.2).contains(&mean), "bits set in an id: {mean}");
    }
}
