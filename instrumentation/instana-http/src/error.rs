//! The text of an error on a span.

use std::any::Any;
use std::error::Error;
use std::fmt;

use instana::Span;

/// What tower's and hyper's users box their errors into.
type BoxError = Box<dyn Error + Send + Sync>;

/// Sources of an error that are looked at.
const MOST_SOURCES: usize = 8;

/// Marks the span as erroneous, with the text of the error and of its sources.
/// Core cuts it and redacts URLs and connection strings in it.
pub fn record_error(span: &mut Span, error: &(dyn Error + 'static)) {
    if !span.is_recording() {
        return;
    }
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..MOST_SOURCES {
        let Some(error) = source else { break };
        let more = error.to_string();
        // Many errors repeat their source.
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    span.error(&text);
}

/// As [`record_error`], for what a generic service fails with: an error need
/// not be an [`Error`], and boxed ones are none. The sources of boxed errors
/// are recorded, those of others are not.
pub fn record_failure<E: fmt::Display + 'static>(span: &mut Span, error: &E) {
    if !span.is_recording() {
        return;
    }
    match (error as &dyn Any).downcast_ref::<BoxError>() {
        Some(error) => record_error(span, &**error),
        None => span.error(&error.to_string()),
    }
}
