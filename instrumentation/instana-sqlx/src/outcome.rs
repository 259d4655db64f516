//! What became of a call.

use instana::Span;
use sqlx::Error;

/// The rows of a statement: fetched, or changed where it fetches none.
pub(crate) const ROWS: &str = "rows";

/// Milliseconds from the first poll to the first row.
pub(crate) const FIRST_ROW: &str = "first_row_ms";

/// Milliseconds that a statement waited for a connection of its pool.
pub(crate) const POOL_WAIT: &str = "pool_wait_ms";

/// The error of a call, if that is one: that there is no row is an answer.
pub(crate) fn failed<T>(span: &mut Span, result: &Result<T, Error>) {
    if let Err(error) = result {
        fail(span, error);
    }
}

pub(crate) fn fail(span: &mut Span, error: &Error) {
    if !matches!(error, Error::RowNotFound) {
        span.record_error(error);
    }
}

pub(crate) fn found<T>(span: &mut Span, result: &Result<Option<T>, Error>) {
    match result {
        Ok(row) => span.tag(ROWS, u64::from(row.is_some())),
        Err(error) => fail(span, error),
    }
}

/// The statement whose span is the current one has got its connection.
pub(crate) fn got_connection() {
    instana::current(|span| span.tag(POOL_WAIT, span.elapsed_millis()));
}
