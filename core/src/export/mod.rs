//! From records to requests: redaction, service name and JSON, on the agent
//! thread.

mod batching;
mod encoder;
mod exporter;
mod piece;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_secrets;
mod value;

#[cfg(any(test, feature = "testing"))]
pub(crate) use self::encoder::{Encoder, Surroundings};
pub(crate) use self::exporter::Exporter;
