//! Names of what signs a URL, or lets one in: whoever has the URL may use it.

use crate::secrets::work_counter;

/// Names that mean this wherever they stand.
const ALWAYS: [&str; 12] = [
    "access_token",
    "awsaccesskeyid",
    "googleaccessid",
    "id_token",
    "refresh_token",
    "samlresponse",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-security-token",
    "x-goog-signature",
];

/// Names that mean this in the query of a URL, and may mean anything elsewhere.
const IN_QUERIES: [&str; 3] = ["code", "sig", "signature"];

/// Whether the value of this name, decoded, is hidden in a query.
pub(super) fn is_in_query(name: &str) -> bool {
    is_anywhere(name) || is_one_of(&IN_QUERIES, name)
}

/// Whether it is hidden wherever it stands.
pub(super) fn is_anywhere(name: &str) -> bool {
    is_one_of(&ALWAYS, name)
}

/// Whether one of these stands in `text` as a word or as a part of a name: `my_access_token`.
pub(super) fn is_word_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    work_counter::count(bytes.len());
    let mut before = b' ';
    bytes.iter().enumerate().any(|(at, byte)| {
        let is_start = !before.is_ascii_alphanumeric();
        before = *byte;
        is_start && begins_with_name(bytes.get(at..).unwrap_or_default())
    })
}

fn begins_with_name(bytes: &[u8]) -> bool {
    ALWAYS.iter().any(|name| {
        let word = bytes.get(..name.len());
        let is_end = || {
            bytes
                .get(name.len())
                .is_none_or(|next| !next.is_ascii_alphanumeric())
        };
        word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes())) && is_end()
    })
}

/// All of them.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALWAYS.into_iter().chain(IN_QUERIES)
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
