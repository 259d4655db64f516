//! Sections: the objects below `data`, with their fields.

use std::sync::atomic::AtomicU32;

use crate::record::registry::SECTIONS;
use crate::secrets::Dialect;

/// One object below `data`: its key and its fields.
#[derive(Debug)]
pub struct Section {
    key: &'static str,
    fields: &'static [Field],
    error: Option<(u8, u16)>,
    index: AtomicU32,
}

impl Section {
    /// Used by [`section!`](crate::section!), which declares a section together
    /// with its setters.
    pub const fn new(key: &'static str, fields: &'static [Field]) -> Self {
        Self {
            key,
            fields,
            error: position_of_error(fields),
            index: AtomicU32::new(0),
        }
    }

    /// The key below `data`.
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// Its fields, in the order of their declaration.
    pub const fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// The field that takes the text of an error, and its limit.
    pub(crate) const fn error(&self) -> Option<(u8, u16)> {
        self.error
    }

    #[inline]
    pub(crate) fn index(&'static self) -> u8 {
        SECTIONS.index(self, &self.index) as u8
    }
}

const fn position_of_error(fields: &[Field]) -> Option<(u8, u16)> {
    let mut at = 0;
    let mut rest = fields;
    while let [field, tail @ ..] = rest {
        if matches!(field.shape, Shape::Error) {
            return Some((at, field.limit));
        }
        at += 1;
        rest = tail;
    }
    None
}

/// One attribute of a section.
#[derive(Debug)]
#[non_exhaustive]
pub struct Field {
    /// The key on the wire.
    pub key: &'static str,
    /// Its JSON type, and what is hidden in it.
    pub shape: Shape,
    /// Bytes of text that are kept, characters of a statement; the rest is cut off
    /// at a character's boundary, after secrets were replaced, and counted.
    pub limit: u16,
}

impl Field {
    /// Used by [`section!`](crate::section!).
    pub const fn new(key: &'static str, shape: Shape, limit: u16) -> Self {
        Self { key, shape, limit }
    }
}

/// How a field is written: its JSON type, and for text what may be secret in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// A string without secrets.
    Text,
    /// A query string: the values of secret keys are replaced.
    Query,
    /// A URL: user info is replaced, query and fragment are removed, values of
    /// secret matrix parameters are replaced.
    Url,
    /// A path: as in a URL.
    Path,
    /// A connection string: passwords are replaced.
    Dsn,
    /// The text of an error: URLs and connection strings inside are redacted.
    Error,
    /// Free text, such as a log line: redacted as the text of an error is. Three dots
    /// stand at the end of one that was cut.
    Message,
    /// A statement of a database in this language: where a secret word stands in it, no
    /// literal is shown.
    Statement(Dialect),
    /// An integer.
    Integer,
    /// A floating point number; what JSON has no number for is left out.
    Float,
    /// `true` or `false`.
    Boolean,
    /// An object from names to strings; values of secret names are replaced.
    Headers,
    /// An array of strings.
    List,
    /// An object from names to arrays of strings.
    Lists,
    /// `custom`: free tags, and entries of the span's log.
    Custom,
}
