//! Conditions that metrics have to show: made on demand, kept until the end.

use std::fs::File;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use instana::FutureExt;
use instana::metrics::Readings;
use instana_tokio::RuntimeMetrics;
use tokio::runtime::Runtime;

static KEPT: Mutex<Kept> = Mutex::new(Kept {
    runtime: None,
    blocked: None,
    memory: Vec::new(),
    files: Vec::new(),
});

struct Kept {
    runtime: Option<Runtime>,
    /// Dropped, it lets a worker go on.
    blocked: Option<Sender<()>>,
    memory: Vec<Vec<u8>>,
    files: Vec<File>,
}

/// Obeys one command; `None` for others.
pub(crate) fn obey(command: &str, number: Option<u64>) -> Option<&'static str> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    match (command, number) {
        // Registers a runtime of two workers: "runtime".
        ("runtime", None) => kept.runtime = Some(runtime()?),
        // Spawns so many tasks that sleep: "sleepers <how many>".
        ("sleepers", Some(count)) => {
            let runtime = kept.runtime.as_ref()?;
            for _ in 0..count {
                runtime.spawn(std::future::pending::<()>());
            }
        }
        // Keeps a worker in one poll, until "unblock".
        ("block", None) => kept.blocked = Some(block(kept.runtime.as_ref()?)?),
        ("unblock", None) => kept.blocked = None,
        // Allocates and writes so many MiB: "allocate <MiB>".
        ("allocate", Some(mebibytes)) => {
            let bytes = usize::try_from(mebibytes << 20).ok()?;
            kept.memory.push(vec![1; bytes]);
        }
        // Opens so many files: "open <how many>".
        ("open", Some(count)) => {
            let files = (0..count).map(|_| File::open("/dev/null"));
            kept.files
                .extend(files.collect::<Result<Vec<_>, _>>().ok()?);
        }
        // Sets a gauge, and counts so many: "count <how many>".
        ("count", Some(count)) => {
            instana::gauge("depth", "items").set(count);
            instana::counter("counted", "items").add(count);
        }
        // Registers sources that do what they must not: "bad-sources".
        ("bad-sources", None) => bad_sources(),
        // Runs an entry with one poll of so many milliseconds: "slow-poll <ms>".
        ("slow-poll", Some(millis)) => {
            let work = async move { thread::sleep(Duration::from_millis(millis)) };
            let runtime = kept.runtime.as_ref()?;
            runtime.block_on(work.in_span(instana::entry_span("weigh")));
        }
        _ => return None,
    }
    Some("done")
}

fn runtime() -> Option<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).build().ok()?;
    RuntimeMetrics::new(runtime.handle())
        .name("main")
        .register();
    Some(runtime)
}

fn block(runtime: &Runtime) -> Option<Sender<()>> {
    let (let_go, gone) = mpsc::channel::<()>();
    let (blocks, is_blocked) = mpsc::channel();
    runtime.spawn(async move {
        let _ = blocks.send(());
        let _ = gone.recv();
    });
    is_blocked.recv().ok()?;
    Some(let_go)
}

fn bad_sources() {
    instana::metrics::register("good", |readings: &mut Readings| {
        readings.gauge("level", "m", 2.5);
    });
    instana::metrics::register("panics", |_: &mut Readings| {
        let empty: Option<u64> = std::hint::black_box(None);
        assert!(empty.is_some(), "on purpose");
    });
    instana::metrics::register("hangs", |_: &mut Readings| {
        loop {
            thread::park();
        }
    });
}
