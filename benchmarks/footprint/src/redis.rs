//! A command.

use std::error::Error;

#[cfg(feature = "redis-traced")]
use instana_redis::Client;
use redis::AsyncCommands;
#[cfg(not(feature = "redis-traced"))]
use redis::Client;

pub(crate) fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let client = Client::open("redis://127.0.0.1:9/")?;
            let mut connection = client.get_multiplexed_async_connection().await?;
            let stock: i64 = connection.get("stock").await?;
            println!("{stock}");
            Ok(())
        })
}
