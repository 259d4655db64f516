//! The settings: what there is, who can set it, and what is in force.
//!
//! [`keys`] is the table that everything is made from. A source is read into a
//! [`Layer`]: the [environment](env), a [file](file) ([YAML](yaml), as a
//! [`tree`]), [code](code) and the agent's answer (a tree, too). The first layer
//! that has a setting decides, [`Origin`] says which that was, and
//! [problems](problem) are what was not understood. A new setting is an entry in
//! the table and, if there is none that fits, a [`kind`].

mod code;
mod entry;
mod env;
mod file;
mod given;
mod key;
mod keys;
mod kind;
mod origin;
mod parse;
mod problem;
mod reader;
pub(crate) mod setters;
mod setting;
mod sources;
mod switches;
mod tree;
mod unknown;
mod yaml;

pub use self::kind::{
    CapturedLogs, FilterMatch, IgnoredEndpoint, KafkaHeaderFormat, SpanFilter, StackTraces,
};
pub use self::origin::Origin;
pub use self::setting::Setting;

pub(crate) use self::code::Code;
use self::entry::Entry;
pub(crate) use self::env::Environment;
pub(crate) use self::given::Given;
pub(crate) use self::keys::{Config, Layer};
pub(crate) use self::kind::{Disabled, FilterAttribute, Places, TechnologyStackTraces};
pub(crate) use self::sources::Sources;
pub(crate) use self::switches::Switches;
pub(crate) use self::tree::Tree;

#[cfg(test)]
mod tests;
