//! Spans that a recorder did not get because of where they began.

use std::fmt;

use crate::record::Kind;
use crate::trace::context::unrecorded::Place;

/// Spans of one kind and name that were not recorded because of where they began:
/// entries inside of an open entry, exits and pieces of work outside of any.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unrecorded {
    /// What they would have been.
    pub kind: Kind,
    /// The name of an SDK span; of others, the name of the family.
    pub name: String,
    /// File and line where they begin, as `src/main.rs:42`; `None` where that is not
    /// known, as of requests that a layer refuses.
    pub place: Option<String>,
    /// How many there were.
    pub count: u64,
}

impl Unrecorded {
    pub(super) fn of(place: Place) -> Self {
        Self {
            kind: place.reason.kind(),
            place: place.at.map(|at| format!("{}:{}", at.file(), at.line())),
            name: place.name,
            count: place.count,
        }
    }
}

/// As `2 × exit redis (src/main.rs:42)`.
impl fmt::Display for Unrecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} {}", self.count, self.kind.word(), self.name)?;
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}
