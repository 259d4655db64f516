#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch;
mod family;
mod headers;
mod message;
mod producer;

pub use crate::batch::{BatchExt, batch_entry_span};
pub use crate::message::MessageExt;
pub use crate::producer::{
    BaseProducer, DeliveryFuture, FutureProducer, InstanaContext, ThreadedProducer, Tracked,
};
