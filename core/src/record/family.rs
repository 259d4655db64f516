//! Span families: what a kind of span is called on the wire and which
//! attributes it has. Each is declared once, in the crate that records it.

use std::sync::atomic::AtomicU32;

use crate::record::flags::Flags;
use crate::record::registry::FAMILIES;
use crate::record::{Kind, Section};

/// What a type is called by others (as in Python).
const ALIASES: [(&str, &str); 2] = [("postgres", "postgresql"), ("pg", "postgresql")];

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

    /// The names by which rules know the type of a family: the name of its spans, the
    /// key of their data, and what sibling tracers call it.
    pub(crate) fn type_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let (name, section) = (self.name(), self.section().key());
        let alias = ALIASES
            .into_iter()
            .find(|(known, _)| *known == name || *known == section);
        [name, section]
            .into_iter()
            .chain(alias.map(|(_, alias)| alias))
    }

    #[inline]
    pub(crate) fn index(&'static self) -> u16 {
        FAMILIES.index(self, &self.index) as u16
    }
}
