#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod extension;
mod family;
mod fields;
mod operation;
mod published;
mod selection;
mod subscription;

pub use crate::extension::{Configured, InstanaExtension};
pub use crate::family::{CLIENT, Graphql, SERVER};
pub use crate::fields::FieldSpans;
pub use crate::published::{Published, PublishedExt, Unpublished};
