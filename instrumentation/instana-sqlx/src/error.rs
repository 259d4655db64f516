//! The errors of calls, without the values that databases quote in them.

use instana::Span;
use instana::span::{Failure, without_values};
use sqlx::Error;
use sqlx::error::DatabaseError;

use crate::backend::Described;

/// The words of MySQL behind a value, before the value's place.
const PLACES: [&str; 2] = ["' for key ", "' for column "];

/// Records the error of a call. A missing row is an answer and no error.
#[cold]
pub(crate) fn fail<DB: Described>(span: &mut Span, error: &Error) {
    if matches!(error, Error::RowNotFound) {
        return;
    }
    match error.as_database_error() {
        Some(told) => {
            let text = text_of::<DB>(&error.to_string(), told);
            span.record_error(Failure::display(&text));
        }
        None if is_of_the_way(error) => span.record_error(error),
        None => {
            let text = without_values(&error.to_string(), |_, _| false);
            span.record_error(Failure::display(&text));
        }
    }
}

/// Whether no value can be in it: the server was not reached.
fn is_of_the_way(error: &Error) -> bool {
    matches!(
        error,
        Error::Io(_)
            | Error::Tls(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed
            | Error::BeginFailed
    )
}

/// The text of an error with the server's message in it, in which only names stay quoted.
fn text_of<DB: Described>(text: &str, told: &dyn DatabaseError) -> String {
    let message = told.message();
    let before = text.strip_suffix(message).unwrap_or_default();
    let is_name = |before: &str, quoted: &str| DB::is_name(told, before, quoted);
    let shown = match place(message) {
        "" => without_values(&DB::message(told), is_name),
        place => with_place(message, place),
    };
    [before, &shown].concat()
}

/// The words of the message before a value, and the place behind it.
fn with_place(message: &str, place: &str) -> String {
    let start = message.find('\'').unwrap_or_default();
    let start = message.get(..start).unwrap_or_default();
    [start, "…", place].concat()
}

fn place(message: &str) -> &str {
    let places = PLACES.iter().filter_map(|place| message.rfind(place));
    let place = places.max().and_then(|at| message.get(at + 1..));
    place.unwrap_or_default()
}

#[cfg(test)]
mod tests;
