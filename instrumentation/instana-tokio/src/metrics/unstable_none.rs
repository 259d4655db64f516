//! What tokio tells with `tokio_unstable` only.

use instana::metrics::Readings;
use tokio::runtime::RuntimeMetrics;

pub(super) fn read(_: &RuntimeMetrics, _: &mut Readings) {}
