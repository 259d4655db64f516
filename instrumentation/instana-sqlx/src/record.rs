//! Records the outcome of a call: rows, times and errors.

use instana::Span;
use sqlx::Error;

use crate::backend::Described;
use crate::error::fail;

/// The rows of a statement: fetched, or changed where it fetches none.
pub(crate) const ROWS: &str = "rows";

/// Milliseconds from the first poll to the first row.
pub(crate) const FIRST_ROW: &str = "first_row_ms";

/// Milliseconds that a statement waited for a connection of its pool.
pub(crate) const POOL_WAIT: &str = "pool_wait_ms";

pub(crate) fn failed<DB: Described, T>(span: &mut Span, result: &Result<T, Error>) {
    if let Err(error) = result {
        fail::<DB>(span, error);
    }
}

pub(crate) fn found<DB: Described, T>(span: &mut Span, result: &Result<Option<T>, Error>) {
    match result {
        Ok(row) => span.tag(ROWS, u64::from(row.is_some())),
        Err(error) => fail::<DB>(span, error),
    }
}

/// The statement whose span is the current one has got its connection.
pub(crate) fn got_connection() {
    instana::current(|span| span.tag(POOL_WAIT, span.elapsed_millis()));
}
