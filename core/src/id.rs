//! Trace and span ids: 64 bits on Instana's wire, 128 in the W3C's.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::clock;

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

/// The value of every digit, [`NO_DIGIT`] for all else; upper case has
/// [`UPPER`] set, because the W3C forbids it and Instana does not.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        values[DIGITS[digit] as usize] = digit as u8;
        if digit > 9 {
            values[DIGITS[digit].to_ascii_uppercase() as usize] = digit as u8 | UPPER;
        }
        digit += 1;
    }
    values
};
const NO_DIGIT: u8 = 0x80;
const UPPER: u8 = 0x40;

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
pub(crate) fn parse_long(text: &[u8]) -> Option<(u64, u64)> {
    if text.len() <= 16 {
        return parse(text).map(|low| (0, low));
    }
    if text.len() > 32 {
        return None;
    }
    let (high, low) = text.split_at(text.len() - 16);
    let (high, low) = (digits(high, UPPER)?, digits(low, UPPER)?);
    (high | low != 0).then_some((high, low))
}

/// A 64-bit id of 1 to 16 digits in either case. All zeros count as absent.
pub(crate) fn parse(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    digits(text, UPPER).filter(|id| *id != 0)
}

/// Lower-case digits only, at most 16 of them, as the W3C demands.
pub(crate) fn parse_strict(text: &[u8]) -> Option<u64> {
    digits(text, 0)
}

#[inline]
#[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
fn digits(text: &[u8], allowed: u8) -> Option<u64> {
    let mut id = 0;
    let mut seen = 0;
    for byte in text {
        let value = VALUES[*byte as usize];
        seen |= value;
        id = id << 4 | u64::from(value & 15);
    }
    (seen & !(15 | allowed) == 0).then_some(id)
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
        assert_eq!(parse_strict(b"0Af7"), None, "the W3C knows lower case only");
        assert_eq!(parse_strict(b"0af7"), Some(0x0af7));
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
