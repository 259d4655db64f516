//! Known conditions, in the payload of the second in which they are there: this
//! process, its tracer and a dev agent, over a socket.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected ends there"
)]

use std::fs::File;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use instana::metrics::{Readings, Registration};
use instana::{FutureExt, Guard};
use instana_dev_agent::{Config, DevAgent};
use instana_tokio::RuntimeMetrics;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

const LONG: Duration = Duration::from_secs(60);
const MEBIBYTE: u64 = 1 << 20;

/// The tracer and its agent, alone in the process.
struct Setup {
    agent: DevAgent,
    guard: Option<Guard>,
    runtime: Runtime,
    source: Option<Registration>,
    _alone: MutexGuard<'static, ()>,
}

impl Setup {
    fn new(settings: impl FnOnce(instana::Builder) -> instana::Builder) -> Self {
        static ONE: Mutex<()> = Mutex::new(());
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let agent = DevAgent::start(Config::new()).unwrap();
        let builder = instana::builder().agent(&agent.addr().to_string());
        let guard = settings(builder).init().unwrap();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let source = RuntimeMetrics::new(runtime.handle())
            .name("main")
            .register();
        let setup = Self {
            agent,
            guard: Some(guard),
            runtime,
            source: Some(source),
            _alone: alone,
        };
        // The first two may be without what needs an earlier one.
        setup.wait(3);
        setup
    }

    fn bodies(&self) -> u64 {
        self.agent.view(|view| view.metrics(pid())).len() as u64
    }

    /// The metrics of the last second, when there were so many.
    fn wait(&self, count: u64) -> Value {
        let bodies = self.agent.wait_for_metrics(pid(), count, LONG).unwrap();
        bodies.last().unwrap()["metrics"].clone()
    }

    /// The metrics of the last second before now, and of the first one that begins
    /// after now: one body may be on its way. `change` is made in between.
    fn around<R>(&self, change: impl FnOnce() -> R) -> (Value, Value, R) {
        let before = self.wait(1);
        let kept = change();
        let after = self.wait(self.bodies() + 2);
        (before, after, kept)
    }

    /// The violations of the protocol, of which there are none.
    fn end(mut self) {
        self.source.take().unwrap().unregister();
        drop(self.guard.take());
        self.agent.assert_clean();
    }
}

fn pid() -> u64 {
    std::process::id().into()
}

/// A figure of the runtime.
fn of_runtime(metrics: &Value, name: &str) -> f64 {
    let reading = metrics["sources"]["tokio main"][name]["gauge"].as_f64();
    reading.unwrap_or(f64::NAN)
}

/// Keeps a worker in one poll until the sender is dropped.
fn block(runtime: &Runtime) -> Sender<()> {
    let (let_go, gone) = mpsc::channel::<()>();
    let (blocks, is_blocked) = mpsc::channel();
    runtime.spawn(async move {
        blocks.send(()).unwrap();
        let _ = gone.recv();
    });
    is_blocked.recv().unwrap();
    let_go
}

fn sleepers(runtime: &Runtime) {
    for _ in 0..1_000 {
        runtime.spawn(std::future::pending::<()>());
    }
}

#[test]
fn a_thousand_sleeping_tasks() {
    let setup = Setup::new(|builder| builder);
    let (before, after, ()) = setup.around(|| sleepers(&setup.runtime));
    assert_eq!(of_runtime(&before, "alive_tasks"), 0.0);
    assert_eq!(of_runtime(&after, "alive_tasks"), 1_000.0);
    assert_eq!(of_runtime(&after, "workers"), 2.0);
    let unit = &after["sources"]["tokio main"]["alive_tasks"]["unit"];
    assert_eq!(unit, "tasks");
    setup.end();
}

#[test]
fn in_go_s_schema_tasks_are_goroutines() {
    let setup = Setup::new(|builder| builder.plugin("golang"));
    let (_, after, ()) = setup.around(|| sleepers(&setup.runtime));
    assert_eq!(after["goroutine"], 1_000);
    assert_eq!(after.get("sources"), None);
    setup.end();
}

#[test]
fn a_blocked_worker() {
    let setup = Setup::new(|builder| builder.service("shop"));
    let (before, first, let_go) = setup.around(|| block(&setup.runtime));
    assert_eq!(of_runtime(&before, "blocked_workers"), 0.0);
    // Two samples tell: this is the second one, or the next is.
    let after = match of_runtime(&first, "blocked_workers") {
        0.0 => setup.wait(setup.bodies() + 1),
        _ => first,
    };
    assert_eq!(of_runtime(&after, "blocked_workers"), 1.0, "{after}");
    assert_eq!(of_runtime(&after, "busiest_worker_ratio"), 1.0);

    let events = setup.agent.wait_for_events(1, LONG).unwrap();
    let event = &events[0];
    assert_eq!(event["title"], "A tokio runtime is blocked");
    assert_eq!(
        (&event["id"], &event["severity"]),
        (&json!("shop"), &json!(5))
    );
    let text = event["text"].as_str().unwrap();
    assert!(
        text.starts_with("1 of 2 workers have been in one poll"),
        "{text}"
    );

    let (_, after, ()) = setup.around(|| drop(let_go));
    assert_eq!(of_runtime(&after, "blocked_workers"), 0.0);
    assert_eq!(setup.agent.events().len(), 1, "it is told once");
    setup.end();
}

#[test]
fn a_hundred_megabytes() {
    let setup = Setup::new(|builder| builder.glibc_heap(true));
    let (before, after, kept) = setup.around(|| vec![1_u8; 100 << 20]);
    let grown = |path: &str| {
        let of = |metrics: &Value| metrics.pointer(path).and_then(Value::as_u64);
        of(&after).unwrap() - of(&before).unwrap()
    };
    let mut paths = vec!["/mem/resident", "/mem/anonymous"];
    if cfg!(target_env = "gnu") {
        paths.push("/sources/glibc/in_use/gauge");
    }
    let expected = 100 * MEBIBYTE..108 * MEBIBYTE;
    for path in paths {
        let grown = grown(path);
        assert!(expected.contains(&grown), "{path}: {grown}");
    }
    drop(kept);
    setup.end();
}

#[test]
fn fifty_open_files() {
    let setup = Setup::new(|builder| builder);
    let open = |metrics: &Value| metrics["openFiles"]["current"].as_i64().unwrap();
    let files = || (0..50).map(|_| File::open("/dev/null").unwrap());
    let (before, after, kept) = setup.around(|| files().collect::<Vec<_>>());
    // Before Linux 6.2 they are counted every 10 s.
    let after = if open(&after) == open(&before) {
        setup.wait(setup.bodies() + 11)
    } else {
        after
    };
    let grown = open(&after) - open(&before);
    assert!((48..54).contains(&grown), "{grown}");
    drop(kept);
    setup.end();
}

#[test]
fn what_the_application_counts() {
    let setup = Setup::new(|builder| builder);
    let (depth, counted) = (
        instana::gauge("payload_depth", "items"),
        instana::counter("payload_counted", "items"),
    );
    let (before, after, ()) = setup.around(|| {
        depth.set(3);
        counted.add(3);
    });
    assert_eq!(before["custom"].get("payload_depth"), None);
    let gauge = json!({"gauge": 3, "unit": "items"});
    assert_eq!(after["custom"]["payload_depth"], gauge);
    let counter = json!({"counter": 3, "unit": "items"});
    assert_eq!(after["custom"]["payload_counted"], counter);
    let (_, after, ()) = setup.around(|| counted.add(4));
    assert_eq!(after["custom"]["payload_counted"]["counter"], 7);
    setup.end();
}

/// And the slow poll, whose line waits behind the others for the agent's log.
#[test]
fn what_is_switched_off_and_what_is_slow_is_in_the_agent_s_log() {
    let slow = Duration::from_millis(20);
    let setup = Setup::new(|builder| builder.poll_timing(true).slow_poll(slow));
    let good = |readings: &mut Readings| readings.gauge("level", "m", 2.5);
    let (let_go, gone) = mpsc::channel::<()>();
    let sources = [
        instana::metrics::register("good", good),
        instana::metrics::register("panics", |_: &mut Readings| panic!("on purpose")),
        instana::metrics::register("hangs", move |_: &mut Readings| {
            let _ = gone.recv();
        }),
    ];
    let weigh = async { thread::sleep(2 * slow) };
    setup
        .runtime
        .block_on(weigh.in_span(instana::entry_span("weigh")));

    let said = |start: &str| {
        let what = format!("a log line {start}");
        setup.agent.wait_until(&what, LONG, |view| {
            let lines = view.logs();
            let mut texts = lines.iter().filter_map(|line| line["m"].as_str());
            texts.any(|text| text.starts_with(start)).then_some(())
        })
    };
    for start in [
        "the metric source panics is switched off: it panicked",
        "the metric source hangs is switched off: it has not come back for",
        "sdk weigh: one poll took ",
    ] {
        said(start).unwrap();
    }
    // The others go on, and so do the metrics.
    let last = setup.wait(setup.bodies() + 2);
    assert_eq!(last["sources"]["good"]["level"]["gauge"], 2.5);
    assert_eq!(last["sources"].get("hangs"), None);
    assert_eq!(of_runtime(&last, "workers"), 2.0);
    let bodies = setup.agent.view(|view| view.metrics(pid()));
    let polls = bodies
        .iter()
        .filter_map(|body| body.pointer("/metrics/polls/longest")?.as_f64());
    let polls: Vec<f64> = polls.collect();
    assert!(polls.len() == 1 && polls[0] >= 40.0, "{polls:?}");
    drop(let_go);
    sources.into_iter().for_each(Registration::unregister);
    setup.end();
}
