//! A task.

use std::io;

#[cfg(feature = "tokio-traced")]
use instana_tokio::{spawn, spawn_blocking};
#[cfg(not(feature = "tokio-traced"))]
use tokio::task::{spawn, spawn_blocking};

pub(crate) fn run() -> io::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let sum = spawn(async { 40 + 2 }).await?;
        let product = spawn_blocking(move || sum * 2).await?;
        println!("{product}");
        Ok(())
    })
}
