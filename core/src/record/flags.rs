//! What a context says about the spans that begin in it, one bit each.

use crate::config::Switches;
use crate::record::Kind;

const _: () = assert!(
    Switches::AT_START.at_start() & ((Flags::CARRIED.0 * 2 - 1) | Flags::FAMILY.0) == 0,
    "the bits of switches are not those of flags"
);

/// Properties of a context, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    const ALL: Self = Self(u32::MAX);
    /// There is a trace: `trace` and `span` are set.
    pub(crate) const ACTIVE: Self = Self(1);
    /// Nothing is recorded below.
    pub(crate) const SUPPRESSED: Self = Self(1 << 1);
    /// The random bit of the outgoing `traceparent`.
    pub(crate) const RANDOM: Self = Self(1 << 2);
    /// The span is an exit: no exits or intermediate spans below it.
    pub(crate) const EXIT: Self = Self(1 << 3);
    /// The span is an open entry, or work in one.
    pub(crate) const ENTRY: Self = Self(1 << 4);

    /// The context was carried to another task or thread: the span is not here.
    pub(crate) const CARRIED: Self = Self(1 << 5);
    /// More is to be done when a span starts below: there are rules, or exits have
    /// stacks.
    const AT_START: Self = Self(Switches::AT_START.at_start());
    /// Where the open entry's [family](Self::family) is noted.
    const FAMILY: Self = Self(u32::MAX << Self::FAMILY_SHIFT);
    const FAMILY_SHIFT: u32 = 8;

    pub(crate) const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// With what these switches say about spans below.
    #[inline]
    pub(crate) const fn with_switches(self, switches: Switches) -> Self {
        Self(self.0 | switches.at_start())
    }

    /// True where a span that starts below is simply recorded: in a trace, not
    /// below an exit, and without anything else to do.
    #[inline]
    pub(crate) const fn are_plain(self) -> bool {
        self.0 & (Self::ACTIVE.0 | Self::EXIT.0 | Self::AT_START.0) == Self::ACTIVE.0
    }

    pub(crate) const fn with(self, flag: Self) -> Self {
        Self(self.0 | flag.0)
    }

    pub(crate) const fn without(self, flag: Self) -> Self {
        Self(self.0 & !flag.0)
    }

    /// What a span of a family keeps of its parent's, and what it adds. Work in
    /// between is still inside its entry.
    pub(crate) const fn of_family(kind: Kind, name: &str) -> (Self, Self) {
        let place = Self::EXIT.with(Self::ENTRY).with(Self::CARRIED);
        let most = Self::ALL.without(place.with(Self::FAMILY));
        match kind {
            Kind::Entry => (most, Self::ENTRY.with(Self::family(name))),
            Kind::Exit => (most, Self::EXIT),
            Kind::Intermediate => (Self::ALL.without(Self::EXIT), Self(0)),
        }
    }

    /// A hash of a family's name (FNV-1a): 24 bits keep the few families of entries
    /// apart.
    const fn family(name: &str) -> Self {
        let mut hash = 0x811c_9dc5_u32;
        let mut rest = name.as_bytes();
        while let [byte, tail @ ..] = rest {
            hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
            rest = tail;
        }
        Self(hash << Self::FAMILY_SHIFT)
    }

    /// True inside of an open entry, whose span is in this task.
    pub(crate) const fn are_inside_entry(self) -> bool {
        self.has(Self::ENTRY) && !self.has(Self::CARRIED)
    }

    /// True where both are inside of, or add, an entry of one family.
    pub(crate) const fn have_family_of(self, other: Self) -> bool {
        self.0 & Self::FAMILY.0 == other.0 & Self::FAMILY.0
    }

    /// These, of the parent, as a span of a family has them.
    #[inline]
    pub(crate) const fn below(self, (kept, added): (Self, Self)) -> Self {
        Self(self.0 & kept.0 | added.0)
    }
}
