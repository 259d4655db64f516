//! Exits of the AWS SDK, and entries of messages, with a service that answers
//! what a test tells it to.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected ends there"
)]

mod dynamodb;
mod generic;
mod messages;
mod s3;
mod service;
mod sns;
mod sqs;
