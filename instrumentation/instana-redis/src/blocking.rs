//! Commands of sync connections.

use std::sync::mpsc::Sender;
use std::time::Duration;

use redis::{
    Cmd, ConnectionLike, ControlFlow, Msg, PubSub, PubSubCommands, PushInfo, RedisResult,
    ToRedisArgs, Value,
};

use crate::Traced;
use crate::command::{Kind, Name};
use crate::forward::forward;
use crate::packed::Commands;
use crate::{exit, reply};

/// [`redis::Connection`], whose commands are recorded.
pub type Connection = Traced<redis::Connection>;

impl<C: ConnectionLike> ConnectionLike for Traced<C> {
    fn req_packed_command(&mut self, packed: &[u8]) -> RedisResult<Value> {
        let mut span = exit::start();
        if !span.is_recording() {
            return self.inner.req_packed_command(packed);
        }
        let mut arguments = Commands::new(packed).flatten();
        let name = arguments.next().map_or(Name::UNKNOWN, Name::from);
        let kind = Kind::of(&name, arguments);
        exit::command(&mut span, &self.target, &name);
        let result = span.enter(|| self.inner.req_packed_command(packed));
        reply::answered(&mut span, kind, || name, &result);
        result
    }

    fn req_packed_commands(
        &mut self,
        packed: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut span = exit::start();
        if !span.is_recording() {
            return self.inner.req_packed_commands(packed, offset, count);
        }
        // The replies before `offset` belong to `MULTI` and the commands that it queues.
        let is_atomic = offset > 0;
        let commands = if is_atomic { offset - 1 } else { count };
        let names = Commands::new(packed).names();
        let names = names.skip(usize::from(is_atomic)).take(commands);
        exit::pipeline(&mut span, &self.target, is_atomic, commands, names);
        let result = span.enter(|| self.inner.req_packed_commands(packed, offset, count));
        reply::all_answered(&mut span, is_atomic, &result);
        result
    }

    fn req_command(&mut self, command: &Cmd) -> RedisResult<Value> {
        let mut span = exit::start();
        if !span.is_recording() {
            return self.inner.req_command(command);
        }
        let name = Name::of(command);
        let kind = Kind::of_command(&name, command);
        exit::command(&mut span, &self.target, &name);
        let result = span.enter(|| self.inner.req_command(command));
        reply::answered(&mut span, kind, || name, &result);
        result
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }

    fn supports_pipelining(&self) -> bool {
        self.inner.supports_pipelining()
    }

    // Mostly pools call this.
    fn check_connection(&mut self) -> bool {
        self.inner.check_connection()
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

/// The other methods of redis's connection. None of them is recorded.
impl Connection {
    forward! {
        redis::Connection;
        fn as_pubsub(&mut self) -> PubSub<'_>;
        fn psubscribe_resp3(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        fn punsubscribe_resp3(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        fn recv_response(&mut self) -> RedisResult<Value>;
        fn send_packed_command(&mut self, packed: &[u8]) -> RedisResult<()>;
        fn set_push_sender(&mut self, sender: Sender<PushInfo>);
        fn set_read_timeout(&self, timeout: Option<Duration>) -> RedisResult<()>;
        fn set_write_timeout(&self, timeout: Option<Duration>) -> RedisResult<()>;
        fn subscribe_resp3(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        fn unsubscribe_resp3(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
    }
}

impl PubSubCommands for Connection {
    fn subscribe<C, F, U>(&mut self, channels: C, received: F) -> RedisResult<U>
    where
        F: FnMut(Msg) -> ControlFlow<U>,
        C: ToRedisArgs,
    {
        self.inner.subscribe(channels, received)
    }

    fn psubscribe<P, F, U>(&mut self, patterns: P, received: F) -> RedisResult<U>
    where
        F: FnMut(Msg) -> ControlFlow<U>,
        P: ToRedisArgs,
    {
        self.inner.psubscribe(patterns, received)
    }
}
