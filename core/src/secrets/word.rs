//! The words of a text, each looked at once.

use crate::secrets::search::{first, last};

/// The word that was asked for last: up to a blank or one of `stops`.
#[derive(Debug)]
pub(super) struct Word<'a> {
    text: &'a str,
    stops: &'static [char],
    /// Where it was entered first, and where it ends.
    start: usize,
    end: usize,
    last_at: Option<usize>,
}

impl<'a> Word<'a> {
    pub(super) fn new(text: &'a str, stops: &'static [char]) -> Self {
        Self {
            text,
            stops,
            start: usize::MAX,
            end: 0,
            last_at: None,
        }
    }

    /// The end of the word that holds `place`.
    pub(super) fn end(&mut self, place: usize) -> usize {
        if !(self.start..self.end).contains(&place) {
            let rest = self.text.get(place..).unwrap_or_default();
            let length = first(rest, |c| c.is_whitespace() || self.stops.contains(&c));
            let length = length.unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default();
            self.last_at = last(word, '@').map(|at| place + at);
            (self.start, self.end) = (place, place + length);
        }
        self.end
    }

    /// Its last `@`, from `place` on.
    pub(super) fn last_at(&mut self, place: usize) -> Option<usize> {
        self.end(place);
        self.last_at.filter(|at| *at >= place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_blanks_and_stops() {
        let mut word = Word::new("a@b@c/d e@", &['/']);
        for (place, end, last_at) in [
            (0, 5, Some(3)),
            (3, 5, Some(3)),
            (4, 5, None),
            (5, 5, None),
            (6, 7, None),
            (8, 10, Some(9)),
            (10, 10, None),
            (0, 5, Some(3)),
        ] {
            assert_eq!(
                (word.end(place), word.last_at(place)),
                (end, last_at),
                "{place}"
            );
        }
    }
}
