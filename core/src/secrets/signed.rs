//! Names of what signs a URL, or lets one in: whoever has the URL may use it.

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

/// All of them.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALWAYS.into_iter().chain(IN_QUERIES)
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
