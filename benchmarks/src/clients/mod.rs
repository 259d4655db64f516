//! Calls of database and messaging clients, plain and traced, inside of an
//! entry: what tracing adds to one of them on the thread that makes it.

mod calls;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "sqlx", feature = "sqlx-tracing"))]
mod sqlx;

use std::future::Future;

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use self::calls::Calls;
use crate::libraries::instana::Instana;
use crate::libraries::none::Untraced;
#[cfg(feature = "sqlx-tracing")]
use crate::libraries::tracing::Tracing;
use crate::work::Library;

/// A client and the one call of it that is measured.
trait Client: Send {
    /// The call; all that it does is in its polls.
    fn call(&mut self) -> impl Future<Output = Result<(), String>> + Send;

    /// Done when the next call can be made.
    fn ready(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Gets rid of what a burst of calls has left.
    fn settle(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// What is measured, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    /// `count` or `allocations`.
    pub(crate) name: &'a str,
    pub(crate) bursts: u64,
    pub(crate) agent: &'a str,
}

impl Task<'_> {
    /// Measures the calls of this client with the library of this name.
    pub(crate) fn run(self, library: &str, client: &str) -> Result<Value, String> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        match (client, library) {
            #[cfg(feature = "sqlx")]
            ("sqlx-select", "none") => {
                let client = runtime.block_on(sqlx::plain())?;
                self.calls(&runtime, Untraced, client)
            }
            #[cfg(feature = "sqlx")]
            ("sqlx-select", "instana") => {
                let client = runtime.block_on(sqlx::traced())?;
                self.calls(&runtime, self.instana()?, client)
            }
            #[cfg(feature = "sqlx-tracing")]
            ("sqlx-0.8-select", "none") => {
                let client = runtime.block_on(sqlx::older_plain())?;
                self.calls(&runtime, Untraced, client)
            }
            #[cfg(feature = "sqlx-tracing")]
            ("sqlx-0.8-select", "sqlx-tracing") => {
                let client = runtime.block_on(sqlx::older_traced())?;
                self.calls(&runtime, Tracing::start_at_info()?, client)
            }
            #[cfg(feature = "redis")]
            ("redis-get", "none") => {
                let client = runtime.block_on(redis::plain())?;
                self.calls(&runtime, Untraced, client)
            }
            #[cfg(feature = "redis")]
            ("redis-get", "instana") => {
                let client = runtime.block_on(redis::traced())?;
                self.calls(&runtime, self.instana()?, client)
            }
            #[cfg(feature = "kafka")]
            ("kafka-send", "none") => self.calls(&runtime, Untraced, kafka::plain()?),
            #[cfg(feature = "kafka")]
            ("kafka-send", "instana") => self.calls(&runtime, self.instana()?, kafka::traced()?),
            _ => Err(format!("{client} with {library} is not compiled in")),
        }
    }

    fn instana(self) -> Result<Instana, String> {
        Instana::announced(self.agent)
    }

    fn calls<L: Library, C: Client>(
        self,
        runtime: &Runtime,
        library: L,
        client: C,
    ) -> Result<Value, String> {
        let mut calls = Calls::new(runtime, library, client);
        match self.name {
            "count" => calls.count(self.bursts),
            "allocations" => calls.allocations(self.bursts),
            other => Err(format!("there is no task {other}")),
        }
    }
}
