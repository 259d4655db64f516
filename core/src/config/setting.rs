//! A setting, as people read it.

use std::fmt;

use crate::config::{Origin, problem};

/// Bytes of a value that are shown.
const SHOWN: usize = 512;

/// One setting of the tracer in force: its value in words, and who set it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// The name of its setter in the [`Builder`](crate::Builder), or nearly so.
    pub name: &'static str,
    /// The value, cut to 512 bytes, without credentials.
    pub value: String,
    /// Who set it.
    pub origin: Origin,
}

impl Setting {
    pub(crate) fn new(name: &'static str, value: &str, origin: &Origin) -> Self {
        Self {
            name,
            value: problem::safe(name, value, SHOWN),
            origin: origin.clone(),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            value,
            origin,
        } = self;
        write!(f, "{name} = {value} ({origin})")
    }
}
