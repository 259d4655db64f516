use instana::span::Family;
use log::LevelFilter;

use crate::{FAMILY, Logger};

/// Options of a [`Logger`] or a layer: see [`builder`].
#[derive(Clone, Debug)]
#[must_use = "logger() and layer() make something of it"]
pub struct Builder {
    pub(crate) family: &'static Family,
    pub(crate) max_level: LevelFilter,
}

/// Options for a [`Logger`], or for a layer of `tracing`.
///
/// ```
/// # fn main() -> Result<(), log::SetLoggerError> {
/// let logger = env_logger::builder().build();
/// let most = logger.filter();
/// instana_log::builder().max_level(most).logger(logger).install()?;
/// # Ok(())
/// # }
/// ```
pub fn builder() -> Builder {
    Builder {
        family: &FAMILY,
        max_level: LevelFilter::Trace,
    }
}

impl Builder {
    /// The family of the spans, for another name (`n`) than [`FAMILY`]'s. Its section
    /// is [`Log::SECTION`](crate::Log::SECTION).
    pub fn family(mut self, family: &'static Family) -> Self {
        self.family = family;
        self
    }

    /// What [`install`](Logger::install) sets as the maximum level of the `log` crate,
    /// below which a record costs next to nothing: give the level that the wrapped logger
    /// wants. Default: all levels, because a [`log::Log`] cannot say which it wants; its
    /// filter then sees every record of every library.
    pub fn max_level(mut self, level: LevelFilter) -> Self {
        self.max_level = level;
        self
    }

    /// A logger around the application's own.
    pub fn logger<L: log::Log>(self, inner: L) -> Logger<L> {
        Logger::build(inner, &self)
    }

    /// A layer for `tracing-subscriber`.
    #[cfg(feature = "tracing")]
    pub fn layer(self) -> crate::InstanaLayer {
        crate::InstanaLayer::build(&self)
    }
}
