//! Records the reply of a call on its span.

use instana::Span;
use redis::{ErrorKind, RedisResult, ServerError, ServerErrorKind, Value};

use crate::command::{Kind, Name};
use crate::error;

/// Records how a command was answered. `name` is called if there is an error.
#[inline]
pub(crate) fn answered(
    span: &mut Span,
    kind: Kind,
    name: impl FnOnce() -> Name,
    result: &RedisResult<Value>,
) {
    if kind == Kind::Blocking {
        waited(span, result);
    }
    match result {
        Ok(Value::Array(_) | Value::Attribute { .. } | Value::ServerError(_)) | Err(_) => {
            inspect(span, kind, &name(), result);
        }
        Ok(_) => {}
    }
}

/// Records how the commands of a pipeline were answered.
pub(crate) fn all_answered(span: &mut Span, is_atomic: bool, result: &RedisResult<Vec<Value>>) {
    let values = match result {
        Ok(values) => values.as_slice(),
        Err(error) => return error::record(span, Name::of_pipeline(is_atomic), error),
    };
    // A transaction has one reply that contains the replies of its commands.
    let values = match values {
        [Value::Nil] if is_atomic => return span.tag("aborted", true),
        [Value::Array(values)] if is_atomic => values,
        values => values,
    };
    let mut errors = values.iter().filter_map(|value| error_of(value, false));
    if let Some(first) = errors.next() {
        error::record_server_error(span, Name::of_pipeline(is_atomic), first);
        span.error_count(error::count(1 + errors.count()));
    }
}

/// How long a blocking command took, mostly to wait. A timeout without a value is an
/// answer, too.
#[cold]
fn waited(span: &mut Span, result: &RedisResult<Value>) {
    span.tag("wait_ms", span.elapsed_millis());
    if let Ok(Value::Nil) = result {
        span.tag("wait_timed_out", true);
    }
}

#[inline(never)]
fn inspect(span: &mut Span, kind: Kind, name: &Name, result: &RedisResult<Value>) {
    const MISSING: ServerErrorKind = ServerErrorKind::NoScript;
    match result {
        // Clusters turn the server's answer into an error.
        Err(error) if error.kind() == ErrorKind::Server(MISSING) => missing(span),
        Err(error) => error::record(span, name, error),
        Ok(value) => match error_of(value, kind == Kind::Nested) {
            Some(error) if error.kind() == Some(MISSING) => missing(span),
            Some(error) => error::record_server_error(span, name, error),
            None => {}
        },
    }
}

/// A script is called by its hash first, and loaded if the server does not know it: no
/// error.
fn missing(span: &mut Span) {
    span.tag("script_missing", true);
}

/// The first error in a reply; unless it is `nested`, only the reply itself counts.
fn error_of(value: &Value, nested: bool) -> Option<&ServerError> {
    match value {
        Value::ServerError(error) => Some(error),
        Value::Attribute { data, .. } => error_of(data, nested),
        Value::Array(values) if nested => values.iter().find_map(|value| error_of(value, true)),
        _ => None,
    }
}
