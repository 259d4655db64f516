//! Collects one request body within a bound of memory.

use crate::json::{Mark, Scan};
use crate::protocol::Body;

/// Buffers grow in steps of at least this.
const STEP: usize = 64 * 1024;

/// A body that is arriving. If an array is too long, its oldest items are dropped; any
/// other body that is too long is dropped as a whole.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    body: Body,
    scan: Scan,
    commas: u64,
    /// Where items begin, and how many commas come before: one in a while.
    marks: Vec<(usize, u64)>,
}

impl Gathering {
    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.body.text.capacity()
    }

    pub(super) fn push(&mut self, chunk: &[u8], limit: usize) {
        self.body.length = self.body.length.saturating_add(chunk.len());
        if self.body.too_large {
            return;
        }
        let begin = self.body.text.len();
        let mut marked = self.marks.last().map_or(0, |(at, _)| *at);
        for (index, byte) in chunk.iter().enumerate() {
            if self.scan.step(*byte) == Mark::Comma {
                self.commas += 1;
                let at = begin + index + 1;
                if at - marked >= limit / 256 {
                    self.marks.push((at, self.commas));
                    marked = at;
                }
            }
        }
        self.append(chunk, limit);
        if self.body.text.len() > limit {
            self.cut(limit);
        }
    }

    pub(super) fn finish(self) -> Body {
        self.body
    }

    fn append(&mut self, chunk: &[u8], limit: usize) {
        let text = &mut self.body.text;
        let needed = text.len() + chunk.len();
        if needed > text.capacity() {
            let grown = text.capacity() / 2 * 3 + STEP;
            let capacity = grown.min(limit).max(needed);
            text.reserve_exact(capacity - text.len());
        }
        text.extend_from_slice(chunk);
    }

    fn cut(&mut self, limit: usize) {
        let half = self.marks.iter().find(|(at, _)| *at >= limit / 2);
        let Some((at, commas)) = half.or(self.marks.last()).copied() else {
            self.body.too_large = true;
            self.body.text = Vec::new();
            return;
        };
        self.body.before = commas;
        self.body.text.drain(..at);
        self.marks.retain(|(mark, _)| *mark > at);
        for (mark, _) in &mut self.marks {
            *mark -= at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Items;

    fn gather(text: &str, length: usize, limit: usize) -> Body {
        let mut gathering = Gathering::default();
        for chunk in text.as_bytes().chunks(length) {
            gathering.push(chunk, limit);
            assert!(gathering.bytes() <= limit + length);
        }
        gathering.finish()
    }

    #[test]
    fn the_newest_items_of_long_arrays_are_kept() {
        let numbers: Vec<_> = (0..100_000).map(|n| format!("[\"{n},\",{n}]")).collect();
        let text = format!(" [{}] ", numbers.join(", "));
        for chunk in [1, 7, 1000, 20_000] {
            let body = gather(&text, chunk, 100_000);
            assert_eq!((body.length, body.too_large), (text.len(), false));
            let items: Vec<_> = Items::new(&body.text, body.before)
                .iter()
                .map(|item| String::from_utf8_lossy(item.unwrap()).trim().to_owned())
                .collect();
            let first = usize::try_from(body.before).unwrap();
            assert_eq!(items, numbers[first..], "{chunk}");
            assert!(items.len() > 1000);
        }
    }

    #[test]
    fn short_bodies_are_kept_as_they_came() {
        for text in ["", "[1,2]", "{\"a\":[1,2]}", "no, JSON"] {
            let body = gather(text, 2, 100);
            assert_eq!((body.text, body.before), (text.as_bytes().to_vec(), 0));
        }
    }

    #[test]
    fn one_long_value_is_given_up() {
        for text in [
            format!("{{\"a\":[{}]}}", "1,".repeat(1000)),
            format!("[\"{}\"]", ",".repeat(1000)),
            format!("[[{}]]", "1,".repeat(1000)),
            "[".repeat(1000),
        ] {
            let body = gather(&text, 10, 500);
            assert!(body.too_large && body.text.capacity() == 0, "{text}");
            assert_eq!(body.length, text.len());
        }
    }
}
