//! From records to requests: redaction, service name and JSON, on the agent
//! thread.

mod batching;
mod encoder;
mod exporter;
mod fragment;
#[cfg(all(target_os = "linux", not(target_arch = "arm"), not(miri)))]
pub(crate) mod frames;
#[cfg(not(all(target_os = "linux", not(target_arch = "arm"), not(miri))))]
#[path = "frames_none.rs"]
pub(crate) mod frames;
#[cfg(test)]
mod tests;
mod value;

#[cfg(any(test, feature = "testing"))]
pub(crate) use self::encoder::{BatchContext, Encoder};
pub(crate) use self::exporter::Exporter;
