use std::sync::mpsc;
use std::thread;

use instana::metrics::Number;
use tokio::runtime::Builder;

use super::*;

const STEP: std::time::Duration = std::time::Duration::from_millis(150);

fn sample(runtime: &mut Runtime) -> Readings {
    let mut readings = Readings::default();
    runtime.sample(&mut readings);
    readings
}

/// No number where there is none.
fn value(readings: &Readings, name: &str) -> f64 {
    readings.get(name).map_or(f64::NAN, Number::float)
}

/// Samples until `is_so`, a step apart.
fn until(runtime: &mut Runtime, is_so: impl Fn(&Readings) -> bool) -> Readings {
    for _ in 0..200 {
        let readings = sample(runtime);
        if is_so(&readings) {
            return readings;
        }
        thread::sleep(STEP);
    }
    panic!("{:?}", sample(runtime));
}

/// Keeps a worker until the sender is dropped; it does when this returns.
fn block(handle: &Handle) -> mpsc::Sender<()> {
    let (let_go, gone) = mpsc::channel::<()>();
    let (blocks, is_blocked) = mpsc::channel();
    handle.spawn(async move {
        blocks.send(()).unwrap();
        let _ = gone.recv();
    });
    is_blocked.recv().unwrap();
    let_go
}

#[test]
fn sleeping_tasks_are_alive() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(3)
        .build()
        .unwrap();
    let mut source = Runtime::new(runtime.handle().clone());
    let tasks: Vec<_> = (0..1_000)
        .map(|_| runtime.spawn(std::future::pending::<()>()))
        .collect();
    let readings = sample(&mut source);
    assert_eq!(value(&readings, "workers"), 3.0);
    assert_eq!(
        value(&readings, "alive_tasks"),
        1_000.0,
        "without the probe"
    );
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let readings = until(&mut source, |now| value(now, "alive_tasks") == 0.0);
    assert!(value(&readings, "parks") > 0.0);
    assert_eq!(value(&readings, "global_queue_depth"), 0.0);
}

#[test]
fn a_blocked_worker_is_seen_while_it_blocks() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let mut source = Runtime::new(runtime.handle().clone());
    // Both have parked.
    until(&mut source, |now| value(now, "blocked_workers") == 0.0);
    let one = block(runtime.handle());
    let readings = until(&mut source, |now| value(now, "blocked_workers") > 0.0);
    assert_eq!(value(&readings, "blocked_workers"), 1.0);
    assert_eq!(value(&readings, "busiest_worker_ratio"), 1.0);
    assert!(value(&readings, "busy_ratio") >= 0.5);
    let problems: Vec<_> = readings.problems().collect();
    assert_eq!(problems, ["A tokio runtime is blocked"]);

    let other = block(runtime.handle());
    runtime.spawn(async {});
    let readings = until(&mut source, |now| value(now, "scheduling_delay") > 300.0);
    assert_eq!(value(&readings, "blocked_workers"), 2.0);
    assert!(
        value(&readings, "global_queue_depth") >= 1.0,
        "{readings:?}"
    );

    drop((one, other));
    let calm = |now: &Readings| {
        value(now, "blocked_workers") == 0.0
            && value(now, "scheduling_delay") < 300.0
            && value(now, "busy_ratio") < 0.5
    };
    let readings = until(&mut source, calm);
    assert_eq!(readings.problems().count(), 0);
}

#[test]
fn a_runtime_that_was_shut_down_has_no_figures() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let mut source = Runtime::new(runtime.handle().clone());
    assert!(sample(&mut source).names().count() > 3);
    runtime.shutdown_background();
    assert!(!source.is_over());
    until(&mut source, |now| now.names().count() == 0);
    assert!(source.is_over(), "it makes room for other runtimes");
}

#[test]
fn a_forked_child_has_no_workers() {
    let threads = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let driven = Builder::new_current_thread().build().unwrap();
    for (runtime, is_over) in [(threads, true), (driven, false)] {
        let mut source = Runtime::new(runtime.handle().clone());
        // As if it came from the parent.
        source.process = 0;
        assert_eq!(sample(&mut source).names().count() == 0, is_over);
        assert_eq!(source.is_over(), is_over);
    }
}

#[test]
fn several_runtimes_have_names() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let metrics = RuntimeMetrics::new(runtime.handle());
    let all = [
        metrics.clone().register(),
        metrics.clone().name(" jobs ").register(),
        metrics.register(),
    ];
    let names: Vec<_> = all.iter().map(|one| one.name().to_owned()).collect();
    assert_eq!(names, ["tokio", "tokio jobs", "tokio-2"]);
    all.into_iter().for_each(Registration::unregister);
}

/// One row for each figure, of stable tokio and of the other.
#[test]
fn the_documentation_shows_the_figures() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/METRICS.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut sections = text.split("\n## ");
    let section = sections.find(|section| section.starts_with("tokio"));
    let rows: Vec<&str> = section
        .unwrap()
        .lines()
        .filter(|row| cfg!(tokio_unstable) || !row.contains("`tokio_unstable`"))
        .filter_map(|row| row.strip_prefix("| `")?.split('`').next())
        .collect();
    let mut builder = Builder::new_multi_thread();
    let runtime = with_histogram(builder.worker_threads(1)).build().unwrap();
    let mut source = Runtime::new(runtime.handle().clone());
    let readings = until(&mut source, |now| now.get("busy_ratio").is_some());
    let mut names: Vec<&str> = readings
        .names()
        .filter(|name| !name.starts_with("polls_from_") || *name == "polls_from_0_us")
        .collect();
    if !cfg!(feature = "net") && cfg!(tokio_unstable) {
        names.extend(["io_registered", "io_deregistered", "io_events"]);
    }
    let sorted = |mut names: Vec<&str>| {
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(sorted(rows), sorted(names));
}

#[cfg(tokio_unstable)]
fn with_histogram(builder: &mut Builder) -> &mut Builder {
    builder.enable_metrics_poll_time_histogram()
}

#[cfg(not(tokio_unstable))]
fn with_histogram(builder: &mut Builder) -> &mut Builder {
    builder
}
