//! What a command allocates.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use instana::FutureExt;
use instana::testing::Recorder;
use instana_redis::Traced;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};
use test_helpers::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<R>(call: impl FnOnce() -> R) -> usize {
    let before = test_helpers::allocations();
    call();
    test_helpers::allocations() - before
}

/// A connection that allocates its boxes only.
struct Quiet;

impl redis::aio::ConnectionLike for Quiet {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let _ = command;
            Ok(Value::Okay)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

impl redis::ConnectionLike for Quiet {
    fn req_packed_command(&mut self, _: &[u8]) -> RedisResult<Value> {
        Ok(Value::Okay)
    }

    fn req_packed_commands(&mut self, _: &[u8], _: usize, _: usize) -> RedisResult<Vec<Value>> {
        Ok(Vec::new())
    }

    fn req_command(&mut self, _: &Cmd) -> RedisResult<Value> {
        Ok(Value::Okay)
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> F::Output {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing to wait for"),
    }
}

/// Those of `call` inside of an entry, but for what the recorder's own memory takes.
fn least(recorder: &Recorder, mut call: impl FnMut()) -> usize {
    recorder.enter(|| {
        instana::entry_span("job").enter(|| (0..100).map(|_| allocations(&mut call)).min().unwrap())
    })
}

#[test]
fn an_async_command_takes_one_box_more_and_a_sync_one_nothing() {
    let recorder = Recorder::new();
    let command = redis::cmd("GET").arg("a").clone();
    let (mut plain, mut traced) = (Quiet, Traced::with_target(Quiet, "cache:6379"));

    fn asked<C: redis::aio::ConnectionLike>(connection: &mut C, command: &Cmd) {
        poll(pin!(connection.req_packed_command(command))).unwrap();
    }
    assert_eq!(least(&recorder, || asked(&mut plain, &command)), 1);
    assert_eq!(least(&recorder, || asked(&mut traced, &command)), 2);
    let suppressed = async { allocations(|| asked(&mut traced, &command)) }.suppress();
    assert_eq!(poll(pin!(recorder.scope(suppressed))), 1);

    fn called<C: redis::ConnectionLike>(connection: &mut C, command: &Cmd) {
        connection.req_command(command).unwrap();
    }
    assert_eq!(least(&recorder, || called(&mut traced, &command)), 0);
    let packed = command.get_packed_command();
    let packed = || {
        redis::ConnectionLike::req_packed_command(&mut traced, &packed).unwrap();
    };
    assert_eq!(least(&recorder, packed), 0);

    // Outside of traces: the first call of a place is noted.
    recorder.enter(|| {
        asked(&mut traced, &command);
        called(&mut traced, &command);
        assert_eq!(allocations(|| asked(&mut traced, &command)), 1);
        assert_eq!(allocations(|| called(&mut traced, &command)), 0);
    });
}
