//! The wrapper around connections.

use std::fmt;

use crate::target::Target;

/// A connection whose commands are recorded as exits: around all that is a
/// `ConnectionLike` of redis, sync or async, connections of pools included.
///
/// It is a `ConnectionLike` itself, so that redis's `Commands`, `AsyncCommands`,
/// `cmd(…).query(…)`, pipelines, scripts and transactions work with it.
///
/// ```no_run
/// use instana_redis::Traced;
/// use redis::AsyncCommands;
///
/// # async fn f() -> redis::RedisResult<()> {
/// let client = redis::Client::open("redis://cache/")?;
/// let connection = client.get_multiplexed_async_connection().await?;
/// let mut connection = Traced::with_target(connection, &client);
/// let name: Option<String> = connection.get("name").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Traced<C> {
    pub(crate) inner: C,
    pub(crate) target: Target,
}

impl<C> Traced<C> {
    /// Wraps a connection whose address is not known.
    pub fn new(inner: C) -> Self {
        Self::with_target(inner, Target::unknown())
    }

    /// Wraps a connection to `target`: a client, an address, a URL.
    pub fn with_target(inner: C, target: impl Into<Target>) -> Self {
        Self {
            inner,
            target: target.into(),
        }
    }

    /// The target of its commands.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The wrapped connection.
    pub fn inner(&self) -> &C {
        &self.inner
    }

    /// The wrapped connection. Its commands are not recorded.
    pub fn inner_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// Takes the connection out.
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C> From<C> for Traced<C> {
    fn from(inner: C) -> Self {
        Self::new(inner)
    }
}

// Most connections have no `Debug`.
impl<C> fmt::Debug for Traced<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traced")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
