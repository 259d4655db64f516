//! The text of an error on a span.

use std::any::Any;
use std::error::Error;
use std::fmt;

use instana::Span;
use instana::span::Failure;

/// What tower's and hyper's users box their errors into.
type BoxError = Box<dyn Error + Send + Sync>;

/// As [`Span::record_error`], for what a generic service fails with: an error
/// need not be an [`Error`], and boxed ones are none. The sources of boxed errors
/// are recorded, those of others are not.
pub fn record_failure<E: fmt::Display + 'static>(span: &mut Span, error: &E) {
    match (error as &dyn Any).downcast_ref::<BoxError>() {
        Some(error) => span.record_error(&**error),
        None => span.record_error(Failure::display(error)),
    }
}
