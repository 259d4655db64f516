//! Why the tracer did not start.

use std::fmt;

/// Why the tracer did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum InitError {
    /// The process has a tracer: its guard is alive, or is being dropped. Call `init` once, in `main`.
    AlreadyRunning,
    /// The system gave no thread.
    Thread(std::io::Error),
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyRunning => {
                f.write_str("the process has an Instana tracer already: call init once")
            }
            Self::Thread(_) => f.write_str("the Instana agent thread could not be started"),
        }
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread(error) => Some(error),
            Self::AlreadyRunning => None,
        }
    }
}
