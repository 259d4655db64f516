//! Uses what is compiled in, as an application does.
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
mod alloc;
#[cfg(feature = "async-graphql")]
mod async_graphql;
#[cfg(feature = "aws-sdk")]
mod aws_sdk;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "futures")]
mod futures;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "log")]
mod log;
#[cfg(feature = "macros")]
mod macros;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "sqlx")]
mod sqlx;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(feature = "tower")]
mod tower;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    #[cfg(feature = "bare")]
    let _guard = instana::init();
    #[cfg(feature = "bare")]
    instana::entry_span("job").enter(|| {
        instana::exit_span("call").end();
        instana::current(|job| job.tag("items", 3));
    });
    #[cfg(feature = "alloc")]
    alloc::run();
    #[cfg(feature = "async-graphql")]
    async_graphql::run()?;
    #[cfg(feature = "aws-sdk")]
    aws_sdk::run()?;
    #[cfg(feature = "axum")]
    axum::run()?;
    #[cfg(feature = "futures")]
    futures::run();
    #[cfg(feature = "http")]
    http::run();
    #[cfg(feature = "hyper")]
    hyper::run()?;
    #[cfg(feature = "kafka")]
    kafka::run()?;
    #[cfg(feature = "log")]
    log::run()?;
    #[cfg(feature = "macros")]
    macros::run();
    #[cfg(feature = "redis")]
    redis::run()?;
    #[cfg(feature = "reqwest")]
    reqwest::run()?;
    #[cfg(feature = "sqlx")]
    sqlx::run()?;
    #[cfg(feature = "tokio")]
    tokio::run()?;
    #[cfg(feature = "tower")]
    tower::run()?;
    println!("done");
    Ok(())
}
