//! The errors of a response as a span takes them.

use async_graphql::{ServerError, Value};
use instana::span::{Handle, without_values};

/// Characters of joined messages that are looked at: more than the span keeps, so that
/// what is cut is counted.
const ENOUGH: usize = 4_000;

/// Steps of a handshake: a client that sends a query's hash alone is asked for the query.
const HANDSHAKES: [(&str, &str); 2] = [
    ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"),
    (
        "PersistedQueryNotSupported",
        "PERSISTED_QUERY_NOT_SUPPORTED",
    ),
];

/// Records the errors of a response: their messages, joined by commas, and their
/// number.
pub(crate) fn record(span: &mut Handle, errors: &[ServerError]) {
    if is_failure(errors) {
        span.error(&text(errors));
        span.error_count(count(errors));
    }
}

/// Whether one of them is more than a step of a handshake.
pub(crate) fn is_failure(errors: &[ServerError]) -> bool {
    failures(errors).next().is_some()
}

pub(crate) fn count(errors: &[ServerError]) -> u16 {
    u16::try_from(failures(errors).count()).unwrap_or(u16::MAX)
}

/// The messages of errors.
pub(crate) fn text(errors: &[ServerError]) -> String {
    let mut text = String::new();
    for error in failures(errors) {
        if text.len() > ENOUGH {
            break;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        let message = shown(&error.message);
        text.extend(message.chars().take(ENOUGH));
    }
    text
}

fn failures(errors: &[ServerError]) -> impl Iterator<Item = &ServerError> {
    errors.iter().filter(|error| !is_handshake(error))
}

fn is_handshake(error: &ServerError) -> bool {
    let code = error.extensions.as_ref();
    let code = code.and_then(|extensions| extensions.get("code"));
    HANDSHAKES.iter().any(|(message, known)| {
        error.message == *message || matches!(code, Some(Value::String(code)) if code == known)
    })
}

/// A message without what it quotes of the request, and without numbers: the line of a syntax
/// error, and values.
pub(crate) fn shown(message: &str) -> String {
    if let Some(position) = message.strip_prefix(" --> ") {
        // The parser's excerpt: position, line, marker, and what it expected.
        let position = position.lines().next().unwrap_or_default();
        let expected = message.rsplit_once("\n  = ").map_or("", |(_, text)| text);
        let expected = without_values(expected, is_name);
        return format!("syntax error at {position}: {expected}");
    }
    if let Some(rest) = message.strip_prefix("Fields \"")
        && let Some((_alias, reason)) = rest.split_once("\" conflict because ")
    {
        // The quoted fields are names of the schema.
        let reason = without_values(reason, |_, quoted| quoted.chars().all(is_in_name));
        return format!("Fields … conflict because {reason}");
    }
    without_values(message, is_name)
}

/// The words that async-graphql writes before a name of the schema.
const KINDS: [&str; 11] = [
    "argument ",
    "directive ",
    "enumeration type ",
    "field ",
    "input type ",
    "interface ",
    "on type ",
    "operation named ",
    "parse ",
    "type ",
    "variable ",
];

/// Whether the text quoted behind `before` is a name of the schema, or can only be meant as
/// one.
fn is_name(before: &str, quoted: &str) -> bool {
    let before = before.to_ascii_lowercase();
    KINDS.iter().any(|kind| before.ends_with(kind)) && quoted.chars().all(is_in_name)
}

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '[' | ']' | '!')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_joined() {
        let errors = ["no such order", "no such shop"].map(|text| ServerError::new(text, None));
        assert_eq!(text(&errors), "no such order, no such shop");
        assert_eq!(text(&[]), "");
        let many = vec![ServerError::new("x".repeat(100), None); 10_000];
        assert!(text(&many).len() < ENOUGH + 200);
    }

    #[test]
    fn steps_of_a_handshake_are_no_failures() {
        let coded = |code: &str| {
            let mut error = ServerError::new("send the query", None);
            let mut extensions = async_graphql::ErrorExtensionValues::default();
            extensions.set("code", code);
            error.extensions = Some(extensions);
            error
        };
        let plain = |message: &str| ServerError::new(message, None);
        for (errors, expected) in [
            (vec![plain("PersistedQueryNotFound")], 0),
            (vec![plain("PersistedQueryNotSupported")], 0),
            (vec![coded("PERSISTED_QUERY_NOT_FOUND")], 0),
            (vec![coded("PERSISTED_QUERY_NOT_SUPPORTED")], 0),
            (vec![coded("NOT_FOUND")], 1),
            (vec![plain("PersistedQueryNotFound: a")], 1),
            (vec![plain("PersistedQueryNotFound"), plain("a")], 1),
            (vec![], 0),
        ] {
            assert_eq!(count(&errors), expected, "{errors:?}");
            assert_eq!(is_failure(&errors), expected > 0);
            assert_eq!(text(&errors).is_empty(), expected == 0);
        }
    }

    #[test]
    fn values_of_the_request_are_left_out() {
        for (message, expected) in [
            (
                " --> 1:21\n  |\n1 | { login(pass: \"hunter2\" }\n  |        ^---\n  |\n  = expected name",
                "syntax error at 1:21: expected name",
            ),
            (" --> 1:21", "syntax error at 1:21: "),
            (
                "Failed to parse \"Int\": Expected input type \"Int\", found \"hunter2\".",
                "Failed to parse \"Int\": Expected input type \"Int\", found ….",
            ),
            (
                "Invalid value for argument \"kind\", enumeration type \"Kind\" does not contain the value \"hunter2\"",
                "Invalid value for argument \"kind\", enumeration type \"Kind\" does not contain the value …",
            ),
            (
                "Fields \"hunter2\" conflict because \"a\" and \"b\" are different fields. Use different aliases on the fields to fetch both if this was intentional.",
                "Fields … conflict because \"a\" and \"b\" are different fields. Use different aliases on the fields to fetch both if this was intentional.",
            ),
            (
                "Fields \"hunter2\" conflict because they have differing arguments. Use different aliases on the fields to fetch both if this was intentional.",
                "Fields … conflict because they have differing arguments. Use different aliases on the fields to fetch both if this was intentional.",
            ),
            (
                "Unknown field \"a\" on type \"Query\".",
                "Unknown field \"a\" on type \"Query\".",
            ),
            (
                "Invalid value for argument \"n\", the value is 424242, must be less than 10",
                "Invalid value for argument \"n\", the value is …, must be less than …",
            ),
            (
                "Fields \"hunter2\" conflict because names differ",
                "Fields … conflict because names differ",
            ),
            ("no such order: 'hunter2'", "no such order: …"),
        ] {
            assert_eq!(shown(message), expected);
        }
    }
}
