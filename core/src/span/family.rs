//! Span families: what a kind of span is called on the wire and which
//! attributes it has. Each is declared once, in the crate that records it.

use std::sync::atomic::AtomicU32;

use crate::context::Flags;
use crate::record::{FAMILIES, SECTIONS};
use crate::secrets::Dialect;

/// `k` of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 1: a call that came in.
    Entry,
    /// 2: a call that went out.
    Exit,
    /// 3: work in between.
    Intermediate,
}

impl Kind {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Entry => 1,
            Self::Exit => 2,
            Self::Intermediate => 3,
        }
    }

    /// The word in `data.sdk.type`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Exit => "exit",
            Self::Intermediate => "intermediate",
        }
    }
}

/// A family of spans: the name, the kind and the section of attributes.
///
/// ```
/// use instana::span::{Family, Kind};
///
/// instana::section! {
///     /// `data.queue`: a call to our job queue.
///     pub struct Queue = "queue" {
///         /// The queue's name.
///         name: text(200),
///         /// Jobs in the call.
///         jobs: integer,
///         /// What went wrong.
///         error: error(200),
///     }
/// }
///
/// static PUSH: Family = Family::new("queue", Kind::Exit, Queue::SECTION, "messaging");
///
/// let mut span = instana::Span::exit(&PUSH);
/// Queue::record(&mut span, |queue| {
///     queue.name("mails").jobs(3);
/// });
/// ```
#[derive(Debug)]
pub struct Family {
    name: &'static str,
    kind: Kind,
    section: &'static Section,
    category: &'static str,
    /// What spans of this family keep of their parents' flags, and add.
    pub(crate) flags: (Flags, Flags),
    index: AtomicU32,
}

impl Family {
    /// A family whose spans have the name `name` (`n`) and their attributes in
    /// `section`. `category` is what rules call the group it belongs to:
    /// `protocols`, `databases`, `messaging` or `logging`.
    pub const fn new(
        name: &'static str,
        kind: Kind,
        section: &'static Section,
        category: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            section,
            category,
            flags: Flags::of_family(kind, name),
            index: AtomicU32::new(0),
        }
    }

    /// `n` on the wire.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// `k` on the wire.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where its attributes stand.
    pub const fn section(&self) -> &'static Section {
        self.section
    }

    /// The group of families that rules name.
    pub const fn category(&self) -> &'static str {
        self.category
    }

    #[inline]
    pub(crate) fn index(&'static self) -> u16 {
        FAMILIES.index(self, &self.index) as u16
    }
}

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

/// Declares a section of `data` and its setters.
///
/// Each field has a shape: `text`, `message`, `query`, `url`, `path`, `dsn`, `error`
/// and `list` take the limit in bytes, `statement` (`mysql`, `postgres` and `sqlite` where the
/// language is known) in characters; `integer`, `float`, `boolean` take none;
/// `headers` takes the limit of one value, `lists` that of one string, at most 255.
/// `= "key"` gives a field another key than its name.
///
/// It makes a type with a `record` function, whose closure is run only where
/// the span is recorded, and one setter a field; setting a field again replaces
/// its value. See [`Family`](crate::span::Family) for an example.
#[macro_export]
macro_rules! section {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident = $key:literal {
            $(
                $(#[$field_meta:meta])*
                $field:ident $(= $json:literal)? : $shape:ident $(($limit:expr))?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name<'a> {
            fields: $crate::span::Fields<'a>,
        }

        const _: () = {
            #[expect(non_camel_case_types, reason = "variants are named like the fields they number")]
            enum Index {
                $($field),*
            }

            // The fields without a setter are numbered too.
            const _: &[u8] = &[$(Index::$field as u8),*];

            static SECTION: $crate::span::Section = $crate::span::Section::new(
                $key,
                &[$($crate::__field!($field $(= $json)?, $shape $(($limit))?)),*],
            );

            impl $name<'_> {
                /// The declaration: key and fields.
                $vis const SECTION: &'static $crate::span::Section = &SECTION;

                /// Calls `set` with the setters of this section, if the span is recorded.
                #[inline]
                $vis fn record(span: &mut impl $crate::span::Recording, set: impl FnOnce(&mut $name<'_>)) {
                    span.with_fields(&SECTION, |fields| set(&mut $name { fields }));
                }

                $($crate::__setter! {
                    $(#[$field_meta])*
                    $vis $field, Index::$field as u8, $shape $(($limit))?
                })*
            }
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($field:ident, $($rest:tt)*) => { $crate::__field!(@ stringify!($field), $($rest)*) };
    ($field:ident = $json:literal, $($rest:tt)*) => { $crate::__field!(@ $json, $($rest)*) };
    (@ $key:expr, text($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Text, $limit) };
    (@ $key:expr, query($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Query, $limit) };
    (@ $key:expr, url($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Url, $limit) };
    (@ $key:expr, path($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Path, $limit) };
    (@ $key:expr, dsn($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Dsn, $limit) };
    (@ $key:expr, error($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Error, $limit) };
    (@ $key:expr, message($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Message, $limit) };
    (@ $key:expr, statement($limit:expr)) => { $crate::__field!(@ $key, Generic, $limit) };
    (@ $key:expr, mysql($limit:expr)) => { $crate::__field!(@ $key, MySql, $limit) };
    (@ $key:expr, postgres($limit:expr)) => { $crate::__field!(@ $key, Postgres, $limit) };
    (@ $key:expr, sqlite($limit:expr)) => { $crate::__field!(@ $key, Sqlite, $limit) };
    (@ $key:expr, $dialect:ident, $limit:expr) => {
        $crate::span::Field::new($key, $crate::span::Shape::Statement($crate::span::sql::Dialect::$dialect), $limit)
    };
    (@ $key:expr, list($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::List, $limit) };
    (@ $key:expr, lists($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Lists, $limit) };
    (@ $key:expr, headers($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Headers, $limit) };
    (@ $key:expr, integer) => { $crate::span::Field::new($key, $crate::span::Shape::Integer, 8) };
    (@ $key:expr, float) => { $crate::span::Field::new($key, $crate::span::Shape::Float, 8) };
    (@ $key:expr, boolean) => { $crate::span::Field::new($key, $crate::span::Shape::Boolean, 1) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __setter {
    // The text of an error is set by `Span::error`, which also counts it.
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, error($limit:expr)) => {};
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, integer) => {
        $(#[$meta])*
        #[inline]
        $vis fn $field(&mut self, value: i64) -> &mut Self {
            self.fields.bytes($index, &value.to_ne_bytes());
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, float) => {
        $(#[$meta])*
        #[inline]
        $vis fn $field(&mut self, value: f64) -> &mut Self {
            self.fields.bytes($index, &value.to_ne_bytes());
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, boolean) => {
        $(#[$meta])*
        #[inline]
        $vis fn $field(&mut self, value: bool) -> &mut Self {
            self.fields.bytes($index, &[u8::from(value)]);
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, headers($limit:expr)) => {
        $(#[$meta])*
        ///
        /// May be called several times: each name is kept, with its last value.
        #[inline]
        $vis fn $field(&mut self, name: &str, value: &str) -> &mut Self {
            self.fields.pair($index, name, value, $limit);
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, lists($limit:expr)) => {
        $(#[$meta])*
        ///
        /// May be called several times: each name is kept, with its last list.
        $vis fn $field<'s>(
            &mut self,
            name: &str,
            items: impl ::core::iter::IntoIterator<Item = &'s str, IntoIter: ::core::clone::Clone>,
        ) -> &mut Self {
            self.fields.named_list($index, name, items, $limit);
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, text($limit:expr)) => {
        $crate::__setter!(@ text, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, list($limit:expr)) => {
        $crate::__setter!(@ text, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, statement($limit:expr)) => {
        $crate::__setter!(@ statement, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, mysql($limit:expr)) => {
        $crate::__setter!(@ statement, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, postgres($limit:expr)) => {
        $crate::__setter!(@ statement, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, sqlite($limit:expr)) => {
        $crate::__setter!(@ statement, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, $redacted:ident($limit:expr)) => {
        $crate::__setter!(@ redacted, $(#[$meta])* $vis $field, $index, $limit);
    };
    (@ $set:ident, $(#[$meta:meta])* $vis:vis $field:ident, $index:expr, $limit:expr) => {
        $(#[$meta])*
        #[inline]
        $vis fn $field(&mut self, value: &str) -> &mut Self {
            self.fields.$set($index, value, $limit);
            self
        }
    };
}
