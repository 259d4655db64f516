//! Comparison of texts regardless of case, without allocation.

/// `text` in the form that [`equals`] and [`contains`] expect of a term.
pub(super) fn fold(text: &str) -> String {
    folded(text).collect()
}

/// Whether `text` is `term` (folded) but for the case of its letters.
pub(super) fn equals(text: &str, term: &str) -> bool {
    if text.is_ascii() {
        return text.eq_ignore_ascii_case(term);
    }
    folded(text).eq(term.chars())
}

/// Whether `term` (folded, not empty) occurs in `text` regardless of case.
pub(super) fn contains(text: &str, term: &str) -> bool {
    if text.is_ascii() {
        return contains_ascii(text.as_bytes(), term.as_bytes());
    }
    let mut rest = folded(text);
    loop {
        let mut here = rest.clone();
        if term.chars().all(|wanted| here.next() == Some(wanted)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

/// As [`contains`]: most places are ruled out by their first letter.
fn contains_ascii(text: &[u8], term: &[u8]) -> bool {
    let Some((first, rest)) = term.split_first() else {
        return true;
    };
    let Some(last) = text.len().checked_sub(term.len()) else {
        return false;
    };
    let starts = text.get(..=last).unwrap_or_default();
    starts.iter().enumerate().any(|(at, byte)| {
        byte.to_ascii_lowercase() == *first
            && text
                .get(at + 1..at + term.len())
                .is_some_and(|here| here.eq_ignore_ascii_case(rest))
    })
}

/// Upper case first: it joins letters that have two small forms (`σ`, `ς`) and
/// look-alikes of ASCII letters (`ſ`, the Kelvin sign) with their plain form.
fn folded(text: &str) -> impl Iterator<Item = char> + Clone + '_ {
    text.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_beyond_ascii_are_folded_one_by_one() {
        assert!(equals("ΟΔΟΣ", &fold("οδος")));
        assert!(equals("STRASSE", &fold("straße")));
        assert!(contains("mein-SCHLÜSSEL-1", &fold("schlüssel")));
        assert!(contains("pa\u{17f}\u{17f}", &fold("PASS")));
        assert!(contains("ßx", &fold("sx")));
        assert!(!contains("schlussel", &fold("schlüssel")));
        assert!(!equals("ä", &fold("a")));
    }

    #[test]
    fn ascii_is_compared_in_windows() {
        assert!(contains("X-Api-KEY", "key"));
        assert!(!contains("ke", "key"));
        assert!(!contains("", "key"));
    }
}
