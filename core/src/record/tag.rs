//! The values of tags.

use std::borrow::Cow;
use std::sync::Arc;

use crate::record::fields::{cut_later, cut_statement};
use crate::record::sdk;
use crate::trace::span::sql::Dialect;

/// The value of a free tag.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TagValue<'a> {
    /// `true` or `false`.
    Boolean(bool),
    /// A text in which URLs and connection strings are redacted.
    Error(&'a str),
    /// A floating point number; what JSON has no number for is left out.
    Float(f64),
    /// An integer.
    Integer(i64),
    /// A statement of a database whose language is not known, cut to 4,000 characters:
    /// where a secret word stands in it, no literal is shown.
    Statement(&'a str),
    /// The same, in a language that is known.
    StatementOf(Dialect, &'a str),
    /// A string, cut to 4,000 bytes.
    Text(&'a str),
    /// An integer.
    Unsigned(u64),
}

/// What can be the value of a tag: numbers, `bool` and strings, also behind
/// references, boxes and `Arc`. Implement it for types of your own:
///
/// ```
/// use instana::span::{AsTag, TagValue};
///
/// struct OrderId(u64);
///
/// impl AsTag for OrderId {
///     fn as_tag(&self) -> TagValue<'_> {
///         TagValue::Unsigned(self.0)
///     }
/// }
///
/// instana::span("ship").tag("order", OrderId(7));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a tag",
    label = "neither a number, nor a `bool`, nor a string",
    note = "make it a string, as in `order = order.to_string()`, or implement `instana::span::AsTag` for it"
)]
pub trait AsTag {
    /// The value, which is written at once.
    fn as_tag(&self) -> TagValue<'_>;
}

impl AsTag for TagValue<'_> {
    fn as_tag(&self) -> TagValue<'_> {
        *self
    }
}

impl AsTag for str {
    fn as_tag(&self) -> TagValue<'_> {
        TagValue::Text(self)
    }
}

impl AsTag for String {
    fn as_tag(&self) -> TagValue<'_> {
        TagValue::Text(self)
    }
}

impl AsTag for Cow<'_, str> {
    fn as_tag(&self) -> TagValue<'_> {
        TagValue::Text(self)
    }
}

macro_rules! numbers {
    ($($variant:ident($as:ty): $($from:ty)+;)+) => {
        $($(impl AsTag for $from {
            fn as_tag(&self) -> TagValue<'_> {
                TagValue::$variant(*self as $as)
            }
        })+)+
    };
}

numbers! {
    Boolean(bool): bool;
    Float(f64): f32 f64;
    Integer(i64): i8 i16 i32 i64 isize;
    Unsigned(u64): u8 u16 u32 u64 usize;
}

macro_rules! pointers {
    ($($pointer:ty)+) => {
        $(impl<T: AsTag + ?Sized> AsTag for $pointer {
            fn as_tag(&self) -> TagValue<'_> {
                (**self).as_tag()
            }
        })+
    };
}

pointers! { &T &mut T Box<T> Arc<T> }

/// The kind of what stands in `custom` behind its kind: a tag, or an entry of
/// the span's log.
pub(crate) mod kind {
    use crate::trace::span::sql::Dialect;

    pub(crate) const BOOLEAN: u8 = b'b';
    pub(crate) const ERROR: u8 = b'e';
    pub(crate) const FLOAT: u8 = b'f';
    pub(crate) const INTEGER: u8 = b'i';
    pub(crate) const LOG: u8 = b'l';
    pub(crate) const STATEMENT: u8 = b'q';
    pub(crate) const TEXT: u8 = b's';
    pub(crate) const UNSIGNED: u8 = b'u';

    const MYSQL: u8 = b'm';
    const POSTGRES: u8 = b'p';
    const SQLITE: u8 = b'y';

    /// The kind of a statement in this language.
    pub(crate) fn of_statement(dialect: Dialect) -> u8 {
        match dialect {
            Dialect::Generic => STATEMENT,
            Dialect::MySql => MYSQL,
            Dialect::Postgres => POSTGRES,
            Dialect::Sqlite => SQLITE,
        }
    }

    /// The language of a statement; `None` for other kinds.
    pub(crate) fn dialect(kind: u8) -> Option<Dialect> {
        match kind {
            STATEMENT => Some(Dialect::Generic),
            MYSQL => Some(Dialect::MySql),
            POSTGRES => Some(Dialect::Postgres),
            SQLITE => Some(Dialect::Sqlite),
            _ => None,
        }
    }
}

impl<'a> TagValue<'a> {
    /// Its kind and bytes as they stand in a span's buffer; `number` is room for
    /// the bytes of a number.
    #[inline]
    pub(crate) fn encode(self, number: &'a mut [u8; 8]) -> (u8, &'a [u8]) {
        let (kind, bits) = match self {
            Self::Boolean(true) => return (kind::BOOLEAN, &[1]),
            Self::Boolean(false) => return (kind::BOOLEAN, &[0]),
            Self::Error(text) => {
                return (kind::ERROR, cut_later(text, sdk::TAG_LIMIT).as_bytes());
            }
            Self::Statement(text) => {
                let text = cut_statement(text, sdk::TAG_LIMIT);
                return (kind::STATEMENT, text.as_bytes());
            }
            Self::StatementOf(dialect, text) => {
                let text = cut_statement(text, sdk::TAG_LIMIT);
                return (kind::of_statement(dialect), text.as_bytes());
            }
            Self::Text(text) => {
                return (kind::TEXT, cut_later(text, sdk::TAG_LIMIT).as_bytes());
            }
            Self::Float(float) => (kind::FLOAT, float.to_bits()),
            Self::Integer(integer) => (kind::INTEGER, integer as u64),
            Self::Unsigned(integer) => (kind::UNSIGNED, integer),
        };
        *number = bits.to_ne_bytes();
        (kind, number)
    }
}
