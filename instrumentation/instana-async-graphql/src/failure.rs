//! The errors of a response as a span takes them.

use std::borrow::Cow;

use async_graphql::ServerError;
use instana::span::Handle;

/// Characters of joined messages that are looked at: more than the span keeps, so that
/// what is cut is counted.
const ENOUGH: usize = 4_000;

/// Records the errors of a response: their messages, joined by commas, and their
/// number.
pub(crate) fn record(span: &mut Handle, errors: &[ServerError]) {
    if !errors.is_empty() {
        span.error(&text(errors));
        span.error_count(u16::try_from(errors.len()).unwrap_or(u16::MAX));
    }
}

/// The messages of errors.
pub(crate) fn text(errors: &[ServerError]) -> String {
    let mut text = String::new();
    for error in errors {
        if text.len() > ENOUGH {
            break;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        let message = without_values(&error.message);
        text.extend(message.chars().take(ENOUGH));
    }
    text
}

/// A message without what async-graphql quotes of the request: the line of a
/// syntax error, and values of the wrong type.
fn without_values(message: &str) -> Cow<'_, str> {
    if let Some(position) = message.strip_prefix(" --> ") {
        // The parser's excerpt: position, line, marker, and what it expected.
        let position = position.lines().next().unwrap_or_default();
        let expected = message.rsplit_once("\n  = ").map_or("", |(_, text)| text);
        return format!("syntax error at {position}: {expected}").into();
    }
    const QUOTES: [(&str, &str); 2] = [
        ("xpected input type \"", ", found "),
        ("numeration type \"", " does not contain the value "),
    ];
    for (start, quote) in QUOTES {
        if let Some((before, rest)) = message.split_once(start)
            && let Some((name, _)) = rest.split_once(quote)
        {
            let quote = quote.trim_end();
            return format!("{before}{start}{name}{quote} …").into();
        }
    }
    message.into()
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
    fn values_of_the_request_are_left_out() {
        for (message, expected) in [
            (
                " --> 1:21\n  |\n1 | { login(pass: \"hunter2\" }\n  |        ^---\n  |\n  = expected name",
                "syntax error at 1:21: expected name",
            ),
            (" --> 1:21", "syntax error at 1:21: "),
            (
                "Failed to parse \"Int\": Expected input type \"Int\", found \"hunter2\".",
                "Failed to parse \"Int\": Expected input type \"Int\", found …",
            ),
            (
                "Invalid value for argument \"kind\", enumeration type \"Kind\" does not contain the value \"hunter2\"",
                "Invalid value for argument \"kind\", enumeration type \"Kind\" does not contain the value …",
            ),
            (
                "Unknown field \"a\", found nothing",
                "Unknown field \"a\", found nothing",
            ),
        ] {
            assert_eq!(without_values(message), expected);
        }
    }
}
