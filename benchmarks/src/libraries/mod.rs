//! The libraries: one file each, the same methods in all of them.

#[cfg(any(
    feature = "fastrace",
    feature = "ibm",
    feature = "opentelemetry",
    feature = "sentry"
))]
mod common;
#[cfg(feature = "datadog")]
pub(crate) mod datadog;
#[cfg(feature = "fastrace")]
pub(crate) mod fastrace;
#[cfg(feature = "ibm")]
pub(crate) mod ibm;
pub(crate) mod instana;
pub(crate) mod none;
#[cfg(feature = "opentelemetry")]
pub(crate) mod opentelemetry;
#[cfg(feature = "sentry")]
pub(crate) mod sentry;
#[cfg(feature = "tracing")]
pub(crate) mod tracing;
