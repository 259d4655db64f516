//! JSON from outside, read in linear time and bounded memory.

mod items;
mod scan;
mod tree;
mod weight;

use std::fmt;

use serde::de::IgnoredAny;

pub(crate) use self::items::Items;
pub(crate) use self::scan::{Mark, Scan};
pub(crate) use self::tree::{pointer, read};
pub(crate) use self::weight::{ALLOCATION, weight};

/// Why a text is not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is no JSON.
    Broken(String),
    /// Its tree would take more memory than it may.
    TooLarge,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(reason) => f.write_str(reason),
            Self::TooLarge => f.write_str("takes too much memory"),
        }
    }
}

/// Whether a body is JSON, without building anything of it.
///
/// # Errors
/// The reason why not.
pub(crate) fn check(body: &[u8], items: &Items<'_>) -> Result<(), String> {
    if let Err(error) = std::str::from_utf8(body) {
        return Err(format!("no UTF-8 at byte {}", error.valid_up_to()));
    }
    for item in items.iter() {
        let item = item?;
        serde_json::from_slice::<IgnoredAny>(item).map_err(|error| error.to_string())?;
    }
    Ok(())
}
