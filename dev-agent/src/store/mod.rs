//! Bounded collections by age and bytes, and the spans that they keep.

mod bounded;
mod span_record;
mod span_store;

pub(crate) use self::bounded::{Ageing, Bounded, Weigh};
pub(crate) use self::span_record::{SpanRecord, entity, id};
pub(crate) use self::span_store::SpanStore;
