//! Where a setting is from.

use std::fmt;
use std::sync::Arc;

/// Who set a setting. In this order they win, the first before all others:
/// environment, file, code, agent, default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The agent, in its answer to the announce.
    Agent,
    /// The [`Builder`](crate::Builder).
    Code,
    /// Nobody.
    #[default]
    Default,
    /// An environment variable.
    Environment {
        /// Its name.
        variable: Arc<str>,
    },
    /// A configuration file.
    File {
        /// Its path, as it was given.
        path: Arc<str>,
        /// The line of the value, from 1 on.
        line: u32,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent => f.write_str("agent"),
            Self::Code => f.write_str("code"),
            Self::Default => f.write_str("default"),
            Self::Environment { variable } => f.write_str(variable),
            Self::File { path, line } => write!(f, "{path}:{line}"),
        }
    }
}
