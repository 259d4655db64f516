//! Connecting: recorded where it fails.

use instana::Span;
use redis::RedisResult;

use crate::command::Name;
use crate::target::Target;
use crate::{Traced, exit, failure};

/// Establishes a connection to `target`. Where that fails, there is an exit with the
/// command `connect`.
pub(crate) fn connect<C>(
    target: &Target,
    connect: impl FnOnce() -> RedisResult<C>,
) -> RedisResult<Traced<C>> {
    let mut span = start(target);
    let result = span.enter(connect);
    connected(&mut span, &result);
    Ok(Traced::with_target(result?, target))
}

/// As [`connect`].
#[cfg(feature = "aio")]
pub(crate) async fn connect_async<C>(
    target: &Target,
    connect: impl Future<Output = RedisResult<C>>,
) -> RedisResult<Traced<C>> {
    use instana::FutureExt;

    let result = connect.in_span_with(start(target), connected).await;
    Ok(Traced::with_target(result?, target))
}

pub(crate) fn start(target: &Target) -> Span {
    let mut span = exit::start();
    if span.is_recording() {
        exit::command(&mut span, target, &Name::CONNECT);
    }
    span
}

pub(crate) fn connected<C>(span: &mut Span, result: &RedisResult<C>) {
    match result {
        Ok(_) => std::mem::replace(span, Span::none()).discard(),
        Err(error) => failure::record(span, &Name::CONNECT, error),
    }
}
