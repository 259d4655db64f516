//! A finished span as it waits in a segment: a head of six words, then its
//! attributes, padded to a word.

/// Bytes of a record's head.
pub(crate) const HEAD: usize = 48;

/// Properties of a recorded span, one bit each.
pub(crate) mod flag {
    /// `sy`: the call was made by a synthetic check.
    pub(crate) const SYNTHETIC: u16 = 1;
    /// `tp`: the parent was taken from `traceparent`.
    pub(crate) const W3C_PARENT: u16 = 1 << 1;
}

/// Family, flags and number of errors of a span, packed as they are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits(u64);

impl Traits {
    #[inline]
    pub(crate) fn new(family: u16, flags: u16) -> Self {
        Self(u64::from(family) << 16 | u64::from(flags) << 32)
    }

    /// The index of the family in the process's list.
    pub(crate) fn family(self) -> u16 {
        (self.0 >> 16) as u16
    }

    pub(crate) fn flags(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// `ec`
    pub(crate) fn errors(self) -> u16 {
        (self.0 >> 48) as u16
    }

    pub(crate) fn with_family(self, family: u16) -> Self {
        Self(self.0 & !0xffff_0000 | u64::from(family) << 16)
    }

    /// At least so many errors.
    pub(crate) fn with_errors(self, errors: u16) -> Self {
        let errors = u64::from(errors.max(self.errors()));
        Self(self.0 << 16 >> 16 | errors << 48)
    }
}

/// What every span has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) trace: u64,
    pub(crate) span: u64,
    /// 0: a root.
    pub(crate) parent: u64,
    /// Ticks.
    pub(crate) start: u64,
    /// Ticks.
    pub(crate) end: u64,
    pub(crate) traits: Traits,
}

impl Head {
    /// Words of the whole record.
    #[inline]
    pub(crate) fn record_words(attributes: usize) -> usize {
        HEAD / 8 + attributes.div_ceil(8)
    }

    /// The head as it stands in a record that has `attributes` bytes behind it.
    #[inline]
    pub(crate) fn to_words(self, attributes: usize) -> [u64; HEAD / 8] {
        let padding = attributes.wrapping_neg() & 7;
        let lengths = Self::record_words(attributes) as u64 | (padding as u64) << 13;
        let first = self.traits.0 | lengths;
        [
            first,
            self.trace,
            self.span,
            self.parent,
            self.start,
            self.end,
        ]
    }
}

/// A record read back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) head: Head,
    pub(crate) attributes: &'a [u8],
}

impl<'a> Record<'a> {
    /// The first record of `bytes` and what follows it; `None` at the end.
    pub(crate) fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, _) = bytes.split_at_checked(HEAD)?;
        let mut words = head
            .chunks_exact(8)
            .filter_map(|word| Some(u64::from_ne_bytes(word.try_into().ok()?)));
        let first = words.next()?;
        let len = (first & 0x1fff) as usize * 8;
        let padding = (first >> 13 & 7) as usize;
        let (record, rest) = bytes.split_at_checked(len)?;
        let head = Head {
            trace: words.next()?,
            span: words.next()?,
            parent: words.next()?,
            start: words.next()?,
            end: words.next()?,
            traits: Traits(first & !0xffff),
        };
        Some((
            Self {
                head,
                attributes: record.get(HEAD..len.checked_sub(padding)?)?,
            },
            rest,
        ))
    }
}
