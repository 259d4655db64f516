//! The destination of statements, and how they are recorded.

use std::borrow::Cow;

use instana::Span;
use instana::span::sql::{Dialect, Target, masked};

use crate::backend::{Backend, Options, Place};

/// How a statement's text is recorded. Bind values are never recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementMode {
    /// The text as it is sent, up to 4,000 characters and without comments. If it contains a
    /// secret word anywhere, no literal is shown.
    #[default]
    Full,
    /// The text with `?` for each literal, and without comments except hints.
    Masked,
    /// Nothing.
    Off,
}

/// The common data of the spans of a pool or connection.
#[derive(Debug)]
pub(crate) struct Destination {
    place: Place,
    target: Target,
    dialect: Dialect,
    mode: StatementMode,
}

impl Destination {
    /// Where connections with these options go to.
    pub(crate) fn of<DB: Backend>(options: &Options<DB>) -> Self {
        Overrides::default().destination::<DB>(options)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Starts the exit of a statement.
    #[inline]
    pub(crate) fn exit(&self, statement: &str) -> Span {
        self.target.exit_with(|| match self.mode {
            StatementMode::Full => Cow::Borrowed(statement),
            StatementMode::Masked => Cow::Owned(masked(self.dialect, statement)),
            StatementMode::Off => Cow::Borrowed(""),
        })
    }
}

/// The parts of a destination that the application sets, which override the options of its
/// connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) mode: StatementMode,
}

impl Overrides {
    pub(crate) fn destination<DB: Backend>(&self, options: &Options<DB>) -> Destination {
        let known = DB::place(options);
        let place = Place {
            host: self.host.clone().unwrap_or(known.host),
            port: self.port.or(known.port),
            user: self.user.clone().unwrap_or(known.user),
            database: self.database.clone().unwrap_or(known.database),
        };
        Destination {
            target: DB::target(&place.address()),
            place,
            dialect: DB::DIALECT,
            mode: self.mode,
        }
    }
}
