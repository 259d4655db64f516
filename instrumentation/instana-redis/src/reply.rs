//! What a span takes from the reply.

use instana::Span;
use redis::{ErrorKind, RedisResult, ServerError, ServerErrorKind, Value};

use crate::command::{Kind, Name};
use crate::failure;

/// Records how a command was answered. `name` is called where something went wrong.
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
        Err(error) => return failure::record(span, Name::of_pipeline(is_atomic), error),
    };
    // A transaction has one reply, with those of its commands in it.
    let values = match values {
        [Value::Nil] if is_atomic => return span.tag("aborted", true),
        [Value::Array(values)] if is_atomic => values,
        values => values,
    };
    let mut errors = values.iter().filter_map(|value| error_of(value, false));
    if let Some(first) = errors.next() {
        failure::record_server_error(span, Name::of_pipeline(is_atomic), first);
        span.error_count(failure::count(1 + errors.count()));
    }
}

/// How long a blocking command took, most of which it waited. Nothing in time is an
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
        // Clusters turn what the server says into an error.
        Err(error) if error.kind() == ErrorKind::Server(MISSING) => missing(span),
        Err(error) => failure::record(span, name, error),
        Ok(value) => match error_of(value, kind == Kind::Nested) {
            Some(error) if error.kind() == Some(MISSING) => missing(span),
            Some(error) => failure::record_server_error(span, name, error),
            None => {}
        },
    }
}

/// A script is called by its hash first, and loaded where that is not known: no error.
fn missing(span: &mut Span) {
    span.tag("script_missing", true);
}

/// The first error in a reply, or, unless it is `nested`, that which the reply is.
fn error_of(value: &Value, nested: bool) -> Option<&ServerError> {
    match value {
        Value::ServerError(error) => Some(error),
        Value::Attribute { data, .. } => error_of(data, nested),
        Value::Array(values) if nested => values.iter().find_map(|value| error_of(value, true)),
        _ => None,
    }
}
