//! Connecting, which is recorded if it fails.

use instana::Span;
use instana::span::Attempt;
use redis::{RedisError, RedisResult};

use crate::command::Name;
use crate::target::Target;
use crate::{Traced, error, exit};

/// Establishes a connection to `target`. If that fails, there is an exit with the command
/// `connect`.
pub(crate) fn connect<C>(
    target: &Target,
    connect: impl FnOnce() -> RedisResult<C>,
) -> RedisResult<Traced<C>> {
    let connection = attempt(target).call(connect, failed)?;
    Ok(Traced::with_target(connection, target))
}

/// As [`connect`].
#[cfg(feature = "aio")]
pub(crate) fn connect_async<C>(
    target: &Target,
    connect: impl Future<Output = RedisResult<C>>,
) -> impl Future<Output = RedisResult<Traced<C>>> {
    let (attempt, target) = (attempt(target), target.clone());
    async {
        Ok(Traced::with_target(
            attempt.watch(connect, failed).await?,
            target,
        ))
    }
}

fn attempt(target: &Target) -> Attempt {
    Attempt::start(|| {
        let mut span = exit::start();
        if span.is_recording() {
            exit::command(&mut span, target, &Name::CONNECT);
        }
        span
    })
}

fn failed(span: &mut Span, error: &RedisError) {
    error::record(span, &Name::CONNECT, error);
}
