//! A connection without a server.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use instana::testing::{RecordedSpan, Recorder};
use instana_redis::Traced;
use redis::{Cmd, ConnectionLike, Pipeline, RedisError, RedisFuture, RedisResult, Value};

/// Answers with what it was given, in turn, and notes what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
}

enum Reply {
    Bytes(&'static str),
    Error(RedisError),
    Never,
}

/// A connection that answers with these lines, and one that looks at it.
pub(crate) fn connection(replies: &[&'static str]) -> (Traced<Fake>, Fake) {
    let fake = Fake::default();
    replies.iter().for_each(|reply| fake.answer(reply));
    let target = "redis://me:geheim@cache:7000/2";
    (Traced::with_target(fake.clone(), target), fake)
}

impl Fake {
    pub(crate) fn answer(&self, bytes: &'static str) {
        self.replies.lock().unwrap().push_back(Reply::Bytes(bytes));
    }

    pub(crate) fn fail(&self, error: impl Into<RedisError>) {
        let error = Reply::Error(error.into());
        self.replies.lock().unwrap().push_back(error);
    }

    pub(crate) fn answer_never(&self) {
        self.replies.lock().unwrap().push_back(Reply::Never);
    }

    /// What it was asked, as it would have been sent.
    pub(crate) fn asked(&self) -> Vec<Vec<u8>> {
        self.asked.lock().unwrap().clone()
    }

    fn ask(&self, packed: &[u8]) -> Option<RedisResult<Value>> {
        self.asked.lock().unwrap().push(packed.to_vec());
        match self.replies.lock().unwrap().pop_front().unwrap() {
            Reply::Bytes(bytes) => Some(redis::parse_redis_value(bytes.as_bytes())),
            Reply::Error(error) => Some(Err(error)),
            Reply::Never => None,
        }
    }
}

fn values(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        value => vec![value],
    }
}

impl redis::aio::ConnectionLike for Fake {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        let reply = self.ask(&command.get_packed_command());
        Box::pin(async {
            tokio::task::yield_now().await;
            match reply {
                Some(reply) => reply,
                None => std::future::pending().await,
            }
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        _offset: usize,
        _count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let reply = self.ask(&pipeline.get_packed_pipeline());
        Box::pin(async { reply.unwrap().map(values) })
    }

    fn get_db(&self) -> i64 {
        7
    }
}

impl ConnectionLike for Fake {
    fn req_packed_command(&mut self, packed: &[u8]) -> RedisResult<Value> {
        self.ask(packed).unwrap()
    }

    fn req_packed_commands(
        &mut self,
        packed: &[u8],
        _offset: usize,
        _count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.ask(packed).unwrap().map(values)
    }

    fn get_db(&self) -> i64 {
        8
    }

    fn supports_pipelining(&self) -> bool {
        true
    }

    fn check_connection(&mut self) -> bool {
        self.ask(b"check").unwrap().is_ok()
    }

    fn is_open(&self) -> bool {
        false
    }
}

/// The commands of the recorder's exits, in turn. All are below the one entry.
pub(crate) fn commands(recorder: &Recorder) -> Vec<String> {
    let exits = recorder.exits();
    let parent = recorder.labelled("job").id();
    assert!(exits.iter().all(|exit| exit.parent() == parent));
    exits.iter().map(command).collect()
}

pub(crate) fn command(exit: &RecordedSpan) -> String {
    exit.text("data.redis.command").unwrap_or_default()
}
