//! Words before a colon that look like the key of a secret and are none.

use crate::secrets::scan::is_key_char;
use crate::secrets::search::run_back;

/// What the names of errors end with.
const ERRORS: [&str; 5] = ["Error", "Exception", "Failure", "Fault", "Warning"];

/// What is said of keys that are not there, or that stand in a table.
const OF_TABLES: [&str; 4] = ["such", "duplicate", "missing", "foreign"];

/// What the codes of services begin and end with.
const CODE_BEGINS: [&str; 9] = [
    "Duplicate",
    "Expired",
    "Incorrect",
    "Invalid",
    "Malformed",
    "Missing",
    "NoSuch",
    "Unknown",
    "Unsupported",
];
const CODE_ENDS: [&str; 9] = [
    "AlreadyExists",
    "Denied",
    "Disabled",
    "Expired",
    "Invalid",
    "Mismatch",
    "Missing",
    "NotExist",
    "NotFound",
];

/// Whether `before`, what stands before a colon, ends with the name of an error
/// (`KeyError: a`, `Invalid_Key_Error: a`) or with a key that is no secret
/// (`no such key: a`, `NoSuchKey: a`). Only before a blank, for else
/// (`KeyError=a`, `key_error:a`, `"KeyError": a`) it is taken for a key.
pub(super) fn is_prose(before: &str, behind: &str) -> bool {
    if !(behind.is_empty() || behind.starts_with(char::is_whitespace)) {
        return false;
    }
    let (others, name) = split_word(before);
    let is_prose = || is_error(name) || is_key_of_table(others, name) || is_code(name, behind);
    !name.is_empty() && is_prose()
}

/// Whether it is the code of an error with a sentence behind it, as services write these:
/// `InvalidAccessKeyId: The AWS Access Key Id …`.
fn is_code(name: &str, behind: &str) -> bool {
    let begins = CODE_BEGINS.iter().any(|word| name.starts_with(word));
    let ends = CODE_ENDS.iter().any(|word| name.ends_with(word));
    let folded = name.to_ascii_lowercase();
    let is_code = (begins || ends)
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !["pass", "pwd"].iter().any(|word| folded.contains(word));
    is_code && is_sentence(behind.trim_start())
}

/// Whether a capitalised word and two others stand there.
fn is_sentence(text: &str) -> bool {
    let mut words = text.split(' ');
    let is_first = words.next().is_some_and(|word| {
        let rest = word.strip_prefix(|c: char| c.is_ascii_uppercase());
        rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_lowercase()))
    });
    let is_word =
        |word: &str| word.len() < 20 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_first && words.next().is_some_and(is_word) && words.next().is_some()
}

fn is_error(name: &str) -> bool {
    ERRORS.into_iter().any(|word| {
        let stem = without_suffix(name, word);
        name.ends_with(word) || stem.is_some_and(|stem| stem.ends_with(['_', '-', '.']))
    })
}

fn is_key_of_table(others: &str, name: &str) -> bool {
    let Some(stem) = without_suffix(name, "key").or_else(|| without_suffix(name, "keys")) else {
        return false;
    };
    let kind = match stem.trim_end_matches(['_', '-']) {
        "" => split_word(others.trim_end()).1,
        stem => stem,
    };
    OF_TABLES
        .into_iter()
        .any(|word| without_suffix(kind, word).is_some())
}

/// `text` without the word that it ends with, and that word.
fn split_word(text: &str) -> (&str, &str) {
    let start = run_back(text, is_key_char);
    text.split_at_checked(start).unwrap_or((text, ""))
}

/// As `strip_suffix`, whatever the case.
fn without_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let (stem, end) = text.split_at_checked(at)?;
    end.eq_ignore_ascii_case(suffix).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_missing_keys_are_no_secrets() {
        for before in [
            "KeyError",
            "at 7: InvalidKeyException",
            "password_error",
            "PASSWORD-FAILURE",
            "no such key",
            "NoSuchKey",
            "no_such_keys",
            "Duplicate key",
            "missing  keys",
            "MissingKey",
        ] {
            assert!(is_prose(before, " a"), "{before}");
            assert!(is_prose(before, ""), "{before}");
            assert!(!is_prose(before, "a"), "{before}");
        }
        for before in [
            "",
            "key",
            "api_key",
            "such a key",
            "api key",
            "duplicate password",
            "keyerror",
            "KeyError\"",
            "KeyErrors",
            "Primary key",
            "my schlüssel",
        ] {
            assert!(!is_prose(before, " a"), "{before}");
        }
    }
}
