use instana::span::Family;
use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use crate::builder::{Builder, builder};
use crate::capture;

/// A logger around the application's own. Every record is forwarded unchanged; records that it
/// accepts and whose level is high enough become spans, too.
#[derive(Debug)]
pub struct Logger<L> {
    inner: L,
    family: &'static Family,
    max_level: LevelFilter,
}

impl<L: Log> Logger<L> {
    /// Around `inner`, such as the one that `env_logger` builds. [`builder`](crate::builder) has
    /// options.
    pub fn new(inner: L) -> Self {
        Self::build(inner, &builder())
    }

    pub(crate) fn build(inner: L, options: &Builder) -> Self {
        Self {
            inner,
            family: options.family,
            max_level: options.max_level,
        }
    }

    /// The wrapped logger.
    pub fn inner(&self) -> &L {
        &self.inner
    }

    /// The wrapped logger.
    pub fn into_inner(self) -> L {
        self.inner
    }

    /// Makes it the process's logger, and sets the maximum level of the `log` crate to the level
    /// of [`Builder::max_level`], or to all levels.
    ///
    /// # Errors
    /// Where the process has a logger already.
    pub fn install(self) -> Result<(), SetLoggerError>
    where
        L: 'static,
    {
        let max_level = self.max_level;
        log::set_boxed_logger(Box::new(self))?;
        log::set_max_level(max_level);
        Ok(())
    }
}

impl<L: Log> From<L> for Logger<L> {
    fn from(inner: L) -> Self {
        Self::new(inner)
    }
}

impl<L: Log> Log for Logger<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let (level, target) = (record.level(), record.target());
        if capture::wants(level, target) && self.inner.enabled(record.metadata()) {
            capture::record(self.family, level, target, |said| {
                capture::write_to(&mut said.message, *record.args());
                #[cfg(feature = "kv")]
                crate::key_values::visit(record, said);
            });
        }
        self.inner.log(record);
    }

    fn flush(&self) {
        self.inner.flush();
    }
}
