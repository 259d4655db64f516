//! Uses what is compiled in, as an application does.
#![forbid(unsafe_code)]

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "futures")]
mod futures;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "log")]
mod log;
#[cfg(feature = "macros")]
mod macros;
#[cfg(feature = "reqwest")]
mod reqwest;
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
    #[cfg(feature = "axum")]
    axum::run()?;
    #[cfg(feature = "futures")]
    futures::run();
    #[cfg(feature = "http")]
    http::run();
    #[cfg(feature = "hyper")]
    hyper::run()?;
    #[cfg(feature = "log")]
    log::run()?;
    #[cfg(feature = "macros")]
    macros::run();
    #[cfg(feature = "reqwest")]
    reqwest::run()?;
    #[cfg(feature = "tokio")]
    tokio::run()?;
    #[cfg(feature = "tower")]
    tower::run()?;
    println!("done");
    Ok(())
}
