//! Commands of async connections.

use instana::FutureExt;
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, Value};

use crate::Traced;
use crate::command::{Kind, Name};
use crate::{exit, reply};

impl<C: ConnectionLike> ConnectionLike for Traced<C> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        let mut span = exit::start();
        if !span.is_recording() {
            return self.inner.req_packed_command(command);
        }
        let name = Name::of(command);
        let kind = Kind::of_command(&name, command);
        exit::command(&mut span, &self.target, &name);
        let future = span.enter(|| self.inner.req_packed_command(command));
        Box::pin(future.in_span_with(span, move |span, result| {
            reply::answered(span, kind, || Name::of(command), result);
        }))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let mut span = exit::start();
        if !span.is_recording() {
            return self.inner.req_packed_commands(pipeline, offset, count);
        }
        let is_atomic = pipeline.is_transaction();
        let names = pipeline.cmd_iter().map(Name::of);
        exit::pipeline(&mut span, &self.target, is_atomic, pipeline.len(), names);
        let future = span.enter(|| self.inner.req_packed_commands(pipeline, offset, count));
        Box::pin(future.in_span_with(span, move |span, result| {
            reply::all_answered(span, is_atomic, result);
        }))
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}
