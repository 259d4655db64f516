//! A cheap look at a text before an exact one.

use std::fmt;

/// Places of the table: few enough for a cache, so many that statements without a term
/// seldom look as if they held one.
const SIZE: usize = 4_096;

/// Three bytes of each term, as a table of their hashes: a text in which none of them
/// occurs holds no term, in whatever case.
#[derive(Clone)]
pub(super) struct Filter {
    table: Box<[bool; SIZE]>,
}

impl Filter {
    /// Terms of fewer than three bytes are not told from anything. Those beyond
    /// ASCII are in no ASCII text.
    pub(super) fn of<'a>(terms: impl IntoIterator<Item = &'a str>) -> Self {
        let mut table = Box::new([false; SIZE]);
        for term in terms.into_iter().filter(|term| term.is_ascii()) {
            let [a, b, c, ..] = telling_part(term).as_bytes() else {
                return Self::all();
            };
            let window = [a, b, c]
                .into_iter()
                .fold(0, |window, byte| next(window, *byte));
            if let Some(place) = table.get_mut(hash(window)) {
                *place = true;
            }
        }
        Self { table }
    }

    /// Takes any text for one that may hold a term.
    pub(super) fn all() -> Self {
        Self {
            table: Box::new([true; SIZE]),
        }
    }

    /// False where the ASCII text holds no term.
    #[inline]
    pub(super) fn finds(&self, text: &[u8]) -> bool {
        self.finds_or(text, |_| false)
    }

    /// False where the ASCII text holds no term, and no byte that is a sign.
    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "a hash indexes a table of its size"
    )]
    pub(super) fn finds_or(&self, text: &[u8], is_sign: impl Fn(u8) -> bool) -> bool {
        let mut window = 0;
        text.iter().fold(false, |found, byte| {
            window = next(window, *byte);
            found | self.table[hash(window)] | is_sign(*byte)
        })
    }
}

/// The part of a term by which it is looked for: its last word, which tells more than
/// its first (`x-amz-signature` begins as many headers do); all of it where that is short.
fn telling_part(term: &str) -> &str {
    let last = term.rsplit(['-', '_', '.']).next().unwrap_or(term);
    if last.len() < 3 { term } else { last }
}

/// The last bytes of a text, three of which count, letters in one case.
#[inline]
fn next(window: u32, byte: u8) -> u32 {
    window << 8 | u32::from(byte | 0x20)
}

/// Twelve bits of a product that depend on the lower three bytes alone.
#[inline]
fn hash(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1) >> 12) as usize % SIZE
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_term_is_found() {
        let filter = Filter::of(["key", "pass", "a_B", "x-our-Sign"]);
        for text in ["key", "api-KEY=1", "x=1&myPassword=2", "a_bc", "x-OUR-sign"] {
            assert!(filter.finds(text.as_bytes()), "{text}");
        }
        for text in ["", "k", "category=books&page=2", "q=1&sort=price", "x-ours"] {
            assert!(!filter.finds(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn short_terms_are_not_told_apart() {
        assert!(Filter::of(["ab"]).finds(b"x"));
        assert!(!Filter::of(["schlüssel"]).finds(b"schlussel"));
        assert!(!Filter::of([]).finds(b"password"));
    }
}
