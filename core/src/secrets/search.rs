//! Searches in texts, all of them here, so that tests can count the bytes that
//! are looked at.

use crate::secrets::work_counter;

/// The first place in `text` where a character is one that `wanted` takes.
pub(super) fn first(text: &str, wanted: impl Fn(char) -> bool) -> Option<usize> {
    let found = text.find(wanted);
    work_counter::count(found.map_or(text.len(), |at| at + 1));
    found
}

/// The length of the characters at the front of `text` that `wanted` takes.
pub(super) fn run(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    first(text, |c| !wanted(c)).unwrap_or(text.len())
}

/// Where the characters at the end of `text` begin that `wanted` takes.
pub(super) fn run_back(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    let start = text.trim_end_matches(wanted).len();
    work_counter::count(text.len() - start + 1);
    start
}

/// The last place of `wanted`, an ASCII sign, in `text`.
pub(super) fn last(text: &str, wanted: char) -> Option<usize> {
    let found = text.rfind(wanted);
    work_counter::count(text.len() - found.unwrap_or_default());
    found
}

/// Splits before the first of `stops`.
pub(super) fn split_at_any<'a>(text: &'a str, stops: &[char]) -> (&'a str, &'a str) {
    let end = first(text, |c| stops.contains(&c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}
