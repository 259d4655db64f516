//! A query.

use std::error::Error;

pub(crate) fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
            #[cfg(feature = "sqlx-traced")]
            let pool = instana_sqlx::SqlitePool::from(pool);
            let one: i64 = sqlx::query_scalar("SELECT 1").fetch_one(&pool).await?;
            println!("{one}");
            Ok(())
        })
}
