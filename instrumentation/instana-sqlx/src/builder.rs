use crate::Pool;
use crate::backend::Backend;
use crate::destination::{Overrides, StatementMode};

/// Options of a [`Pool`]: see [`Pool::builder`].
///
/// The server's address on spans comes from the pool's connect options. Behind a proxy or
/// a connection pooler, set it here.
///
/// ```
/// use instana_sqlx::StatementMode;
///
/// # async fn f() -> Result<(), sqlx::Error> {
/// let pool = sqlx::SqlitePool::connect_lazy("sqlite:shop.db")?;
/// let pool = instana_sqlx::Pool::builder(pool)
///     .database("shop")
///     .statement(StatementMode::Masked)
///     .build();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "build() makes a pool of it"]
pub struct PoolBuilder<DB: Backend> {
    pool: sqlx::Pool<DB>,
    overrides: Overrides,
}

impl<DB: Backend> PoolBuilder<DB> {
    pub(crate) fn new(pool: sqlx::Pool<DB>) -> Self {
        Self {
            pool,
            overrides: Overrides::default(),
        }
    }

    /// How the text of statements is recorded.
    pub fn statement(mut self, mode: StatementMode) -> Self {
        self.overrides.mode = mode;
        self
    }

    /// The server's name or address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.overrides.host = Some(host.into());
        self
    }

    /// The server's port.
    pub fn port(mut self, port: u16) -> Self {
        self.overrides.port = Some(port);
        self
    }

    /// Who is logged in.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.overrides.user = Some(user.into());
        self
    }

    /// The database's name.
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.overrides.database = Some(database.into());
        self
    }

    /// The pool whose statements are recorded.
    pub fn build(self) -> Pool<DB> {
        Pool::new(self.pool, self.overrides)
    }
}
