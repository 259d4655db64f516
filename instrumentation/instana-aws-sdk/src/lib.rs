#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(any(feature = "sns", feature = "sqs"))]
mod attributes;
mod call;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod error;
mod interceptor;
#[cfg(feature = "s3")]
mod s3;
mod service;
mod services;
#[cfg(feature = "sns")]
mod sns;
#[cfg(feature = "sqs")]
mod sqs;

pub use crate::interceptor::InstanaInterceptor;
#[cfg(feature = "sqs")]
pub use crate::sqs::{MessageExt, batch_entry_span, batch_entry_span_of};
