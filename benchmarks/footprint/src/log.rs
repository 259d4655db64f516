//! A logger, and a line.

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

/// Prints.
#[derive(Debug)]
struct Plain;

impl Log for Plain {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        println!("{} {}", record.level(), record.args());
    }

    fn flush(&self) {}
}

pub(crate) fn run() -> Result<(), SetLoggerError> {
    #[cfg(not(feature = "log-traced"))]
    {
        log::set_boxed_logger(Box::new(Plain))?;
        log::set_max_level(LevelFilter::Info);
    }
    #[cfg(feature = "log-traced")]
    instana_log::builder()
        .max_level(LevelFilter::Info)
        .logger(Plain)
        .install()?;
    log::warn!("nearly {}", "empty");
    Ok(())
}
