//! What the tracer costs a process in memory, and one that does nothing in CPU.

use std::fs::File;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::libraries::instana::Instana;
use crate::process;
use crate::work::Library;

/// Resident memory that `init` adds, at rest: measured when the agent knows the
/// process and has got its first metrics.
pub(crate) fn at_rest(agent: &str, time: Duration) -> Result<Value, String> {
    let before = process::resident();
    let tracer = Instana::announced(agent)?;
    thread::sleep(time);
    let after = process::resident();
    drop(tracer);
    Ok(json!({ "before_kib": before, "after_kib": after }))
}

/// The most memory under full load on two threads, while there is no agent.
pub(crate) fn without_agent(time: Duration) -> Result<Value, String> {
    // A port that nothing listens at: the discard service's.
    let tracer = Instana::start("127.0.0.1:9")?;
    let incoming = tracer.incoming(true);
    let before = process::resident();
    let (start, mut most, mut buffer) = (Instant::now(), before, 0);
    let mut requests = 0_u64;
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut requests = 0_u64;
            while start.elapsed() < time {
                (0..100).for_each(|_| tracer.request(&incoming));
                requests += 100;
            }
            requests
        });
        while start.elapsed() < time {
            (0..10_000).for_each(|_| tracer.request(&incoming));
            requests += 10_000;
            most = most.max(process::resident());
            buffer = buffer.max(instana::status().buffer_bytes);
        }
        requests += other.join().unwrap_or_default();
    });
    let spans = instana::status().spans;
    Ok(json!({
        "seconds": start.elapsed().as_secs_f64(),
        "before_kib": before,
        "most_kib": most,
        "buffer_bytes": buffer,
        "ended": requests * 4,
        "recorded": spans.recorded(),
        "sent": spans.sent,
        "waiting": spans.waiting,
        "dropped": spans.dropped(),
    }))
}

/// CPU time of a process that does nothing, with so many open files.
pub(crate) fn idle(agent: &str, time: Duration, files: usize) -> Result<Value, String> {
    let opened: Vec<File> = (0..files)
        .map(|_| File::open("/dev/null"))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{files} files could not be opened: {error}"))?;
    let tracer = Instana::announced(agent)?;
    // The first metrics carry the snapshot, which is sent every ten minutes.
    thread::sleep(Duration::from_secs(2));
    let (cpu, own, sent) = (process::others_cpu(), process::thread_cpu(), metrics());
    let start = Instant::now();
    thread::sleep(time);
    let took = start.elapsed().as_secs_f64();
    let cpu = process::others_cpu() - cpu;
    let own = process::thread_cpu() - own;
    let sent = metrics() - sent;
    drop(tracer);
    Ok(json!({
        "files": opened.len(),
        "seconds": took,
        "metrics": sent,
        "cpu_us_each": cpu as f64 / 1_000.0 / (sent.max(1)) as f64,
        "percent_of_a_core": (cpu + own) as f64 / 1e7 / took,
    }))
}

fn metrics() -> u64 {
    instana::status()
        .agent
        .map(|agent| agent.metrics_sent)
        .unwrap_or_default()
}
