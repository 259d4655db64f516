//! What a span is: its kind, family and attributes, the record that is left of it when
//! it has ended, and the memory in which records wait for the agent thread.

mod declare;
pub(crate) mod error_text;
pub(crate) mod family;
pub(crate) mod fields;
pub(crate) mod flags;
pub(crate) mod head;
mod kind;
pub(crate) mod log_entry;
pub(crate) mod registry;
pub(crate) mod sdk;
mod section;
pub(crate) mod segment;
pub(crate) mod tag;

pub use self::family::Family;
pub use self::fields::{Fields, Recording};
pub use self::kind::Kind;
pub use self::log_entry::LogEntry;
pub use self::section::{Field, Section, Shape};
pub use self::tag::{AsTag, TagValue};
