//! The figures of sources and gauges.

use crate::base::json;

/// A figure. What JSON has no number for (NaN, infinities) is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Number {
    /// With a fraction.
    Float(f64),
    /// An integer.
    Integer(i64),
    /// An integer of 0 or more.
    Unsigned(u64),
}

impl Number {
    pub(crate) fn is_finite(self) -> bool {
        match self {
            Self::Float(number) => number.is_finite(),
            Self::Integer(_) | Self::Unsigned(_) => true,
        }
    }

    /// The nearest number with a fraction.
    pub fn float(self) -> f64 {
        match self {
            Self::Float(number) => number,
            Self::Integer(number) => number as f64,
            Self::Unsigned(number) => number as f64,
        }
    }

    /// An integer of 0 or more, for schemas that know no others.
    pub(crate) fn unsigned(self) -> u64 {
        match self {
            Self::Float(number) => number as u64,
            Self::Integer(number) => u64::try_from(number).unwrap_or_default(),
            Self::Unsigned(number) => number,
        }
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Float(number) if json::float(out, number) => {}
            Self::Float(_) => out.extend_from_slice(b"0"),
            Self::Integer(number) => json::signed(out, number),
            Self::Unsigned(number) => json::unsigned(out, number),
        }
    }
}

macro_rules! numbers {
    ($($variant:ident($as:ty): $($type:ty)*;)*) => {
        $($(impl From<$type> for Number {
            fn from(number: $type) -> Self {
                Self::$variant(number as $as)
            }
        })*)*
    };
}

numbers! {
    Float(f64): f32 f64;
    Integer(i64): i8 i16 i32 i64 isize;
    Unsigned(u64): u8 u16 u32 u64 usize;
}
