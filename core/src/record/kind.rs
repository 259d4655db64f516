//! The kind of a span: which way the call goes.

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
