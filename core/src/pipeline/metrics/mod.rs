//! Metrics: figures of the process, sent once a second.
//!
//! The tracer measures the process by itself (`docs/METRICS.md` has every figure).
//! What an application counts goes along with [`gauge`] and [`counter`], what it or a
//! library has to ask for with a [`Source`]:
//!
//! ```
//! use instana::metrics::{self, Readings};
//!
//! let depth = metrics::gauge("queue_depth", "items");
//! depth.set(3);
//!
//! metrics::register("pool", |readings: &mut Readings| {
//!     readings.gauge("connections", "connections", 8);
//! });
//! ```
//!
//! They arrive with the next second, each with its unit; an agent that knows the
//! process as `golang` has no place for them.

// | file | what |
// | --- | --- |
// | `process.rs` (Linux), `process_portable.rs` | the sampler |
// | `sample.rs` | one sample |
// | `cgroup.rs` (Linux) | the limits of a container, and what is used of them |
// | `open_file.rs` (Linux) | a file that stays open from one sample to the next |
// | `procfs.rs` | parsers of the texts in `/proc` |
// | `ffi.rs` (Unix), `ffi_none.rs` | the system calls |
// | `snapshot.rs` | what does not change while the process runs |
// | `payload.rs` | the JSON, and its keys |
// | `instruments.rs` | gauges and counters of the application |
// | `source.rs`, `registry.rs`, `source_thread.rs` | what others measure, and the thread that asks them |
// | `problem.rs` | what is wrong, as events |

use std::time::Instant;

use crate::base::alloc;
use crate::config::Config;
use crate::pipeline::port::MetricSource;
use crate::trace::context::polls;
use crate::trace::context::unrecorded;

mod c_heap;
#[cfg(target_os = "linux")]
mod cgroup;
#[cfg(unix)]
mod ffi;
#[cfg(not(unix))]
#[path = "ffi_none.rs"]
mod ffi;
mod instruments;
#[cfg(target_os = "linux")]
mod open_file;
mod payload;
mod problem;
#[cfg(target_os = "linux")]
mod process;
#[cfg(not(target_os = "linux"))]
#[path = "process_portable.rs"]
mod process;
#[cfg(target_os = "linux")]
mod procfs;
mod registry;
mod sample;
mod snapshot;
mod source;
mod source_thread;

use self::instruments::InstrumentsGuard;
use self::payload::{Others, Schema};
use self::problem::Problems;
use self::process::Sampler;
use self::registry::SourcesGuard;
use self::sample::Sample;
use self::snapshot::Snapshot;
use self::source_thread::SourceThread;

pub use self::instruments::{Counter, Gauge, counter, gauge};
pub use self::registry::{Registration, register};
pub use self::source::{Readings, Source};
pub use crate::base::json::Number;

pub(crate) use self::c_heap::register_c_heap;

/// Samples the process and writes the bodies of its metrics requests.
#[derive(Debug)]
pub(crate) struct Metrics {
    schema: Schema,
    /// Whether there are samples at all.
    measured: bool,
    name: Option<String>,
    /// Read when it is first asked for, on the agent thread.
    snapshot: Option<Snapshot>,
    sampler: Sampler,
    rounds: SourceThread,
    problems: Problems,
}

impl Metrics {
    /// The first sample tells the CPU time since this call. A forked child
    /// makes its own.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            schema: Schema::of(&config.plugin),
            measured: config.metrics,
            name: config
                .process_name
                .as_ref()
                .or(config.service.as_ref())
                .cloned(),
            snapshot: None,
            sampler: Sampler::new(Instant::now()),
            rounds: SourceThread::default(),
            problems: Problems::default(),
        }
    }

    /// Takes a sample, unless that is switched off, and appends it to `body`: the members
    /// of a JSON object, with the snapshot if `snapshot` is true.
    pub(crate) fn encode(&mut self, snapshot: bool, body: &mut Vec<u8>) {
        let (sampler, rounds) = (&mut self.sampler, &mut self.rounds);
        let sample = self.measured.then(|| Sample {
            heap: alloc::counts(),
            polls: polls::take_longest(),
            unrecorded: unrecorded::PROCESS.counts(),
            ..sampler.sample(Instant::now())
        });
        let others = self.measured.then(|| Others {
            sources: rounds.collect(registry::sources()),
            custom: instruments::read(),
        });
        if let Some(others) = &others {
            self.tell_of(others);
        }
        let name = self.name.as_deref();
        let snapshot =
            snapshot.then(|| &*self.snapshot.get_or_insert_with(|| Snapshot::read(name)));
        let sample = sample.as_ref().zip(others.as_ref());
        payload::write(self.schema, snapshot, sample, body);
    }

    fn tell_of(&mut self, others: &Others) {
        let now = Instant::now();
        self.problems.look(now);
        for problem in others.sources.iter().flat_map(|source| &source.problems) {
            self.problems.tell(now, problem);
        }
    }
}

impl MetricSource for Metrics {
    fn encode(&mut self, snapshot: bool, body: &mut Vec<u8>) {
        Self::encode(self, snapshot, body);
    }
}

/// The locks of sources and instruments.
#[derive(Debug)]
pub(crate) struct MetricsGuard {
    _sources: SourcesGuard,
    _instruments: InstrumentsGuard,
}

/// Keeps everybody else out of them.
pub(crate) fn hold() -> MetricsGuard {
    MetricsGuard {
        _sources: registry::hold(),
        _instruments: instruments::hold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a transport writes it: with a member of its own before.
    fn body(metrics: &mut Metrics, snapshot: bool) -> serde_json::Value {
        let mut body = br#"{"kept":1,"#.to_vec();
        metrics.encode(snapshot, &mut body);
        body.push(b'}');
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn a_body_is_json_with_real_figures() {
        let mut metrics = Metrics::new(&Config {
            service: Some("shop".to_owned()),
            ..Config::default()
        });
        let value = body(&mut metrics, true);
        assert_eq!(value["kept"], 1);
        assert_eq!(value["snapshot"]["name"], "shop");
        assert_eq!(value["snapshot"]["iv"], env!("CARGO_PKG_VERSION"));
        assert!(value["metrics"].is_object());

        let value = body(&mut metrics, false);
        assert_eq!(value.get("snapshot"), None);
    }

    #[test]
    fn a_body_without_figures_still_says_that_the_process_lives() {
        for plugin in ["rust", "golang"] {
            let mut metrics = Metrics::new(&Config {
                metrics: false,
                plugin: plugin.to_owned(),
                ..Config::default()
            });
            let value = body(&mut metrics, true);
            assert_eq!(value["metrics"], serde_json::json!({}));
            assert!(value["snapshot"]["iv"].is_string());
        }
    }
}
