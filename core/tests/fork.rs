//! Forked children of a process whose threads are recording: what each side
//! sends, and that no child waits for a lock that nobody holds any more.
#![cfg(unix)]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]
#![expect(unsafe_code, reason = "fork is what is tested")]

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use instana::Span;
use instana_dev_agent::{Config, DevAgent};
use serde_json::Value;

/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(30);

/// Nobody listens there.
const NO_AGENT: &str = "127.0.0.1:1";

/// The process has one tracer.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A forked child that runs `f`, and is killed if that hangs.
struct Child(libc::pid_t);

impl Child {
    fn fork(f: impl FnOnce()) -> Self {
        // SAFETY: the child runs `f` and nothing else; the allocator and the
        // standard library's thread functions work in it on these systems.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork failed");
        if pid > 0 {
            return Self(pid);
        }
        // SAFETY: both functions take plain numbers.
        unsafe { libc::alarm(20) };
        let failed = catch_unwind(AssertUnwindSafe(f)).is_err();
        // SAFETY: as above.
        unsafe { libc::_exit(i32::from(failed)) }
    }

    fn pid(&self) -> String {
        self.0.to_string()
    }

    /// Waits for its end, which has to be a good one.
    fn join(self) {
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        let pid = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        assert_eq!(pid, self.0);
        assert!(
            !libc::WIFSIGNALED(status),
            "the child hung: signal {}",
            libc::WTERMSIG(status)
        );
        assert_eq!(libc::WEXITSTATUS(status), 0, "the child failed");
    }
}

/// Threads that do `work` until they are joined.
struct Busy {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u64>>,
}

impl Busy {
    fn start(threads: usize, work: impl Fn() + Clone + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..threads)
            .map(|_| {
                let (stop, work) = (stop.clone(), work.clone());
                thread::spawn(move || {
                    let mut times = 0;
                    while !stop.load(Ordering::Relaxed) {
                        work();
                        times += 1;
                    }
                    times
                })
            })
            .collect();
        Self { stop, threads }
    }

    /// How often the work was done.
    fn join(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let times = self
            .threads
            .into_iter()
            .map(|thread| thread.join().unwrap());
        times.sum()
    }
}

fn record(name: &str, times: usize) {
    for _ in 0..times {
        instana::entry_span(name).end();
    }
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    let of_name = |span: &&Value| span["data"]["sdk"]["name"] == name;
    spans.iter().filter(of_name).collect()
}

/// Asserts that each span came once, and that spans came from these processes.
fn assert_sent_once(spans: &[Value], from: &[(&str, &str)]) {
    let mut ids = HashSet::new();
    let origin: HashMap<&str, &str> = from.iter().copied().collect();
    for span in spans {
        assert!(ids.insert(span["s"].as_str().unwrap()), "twice: {span}");
        let name = span["data"]["sdk"]["name"].as_str().unwrap();
        assert_eq!(span["f"]["e"], origin[name], "{span}");
    }
}

#[test]
fn both_processes_send_their_own_spans_under_their_own_pids() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut guard = instana::builder()
        .agent(&agent.addr().to_string())
        .init()
        .ok();
    assert!(guard.is_some());
    let busy = Busy::start(4, || {
        record("parent", 1);
        thread::sleep(Duration::from_millis(1));
    });
    // This thread has a segment, with spans that wait.
    record("parent", 10);
    let child = Child::fork(|| {
        record("child", 10);
        let grandchild = Child::fork(|| {
            record("grandchild", 10);
            assert!(instana::flush(LONG));
        });
        std::fs::write(path(), grandchild.pid()).unwrap();
        grandchild.join();
        // A thread of the child.
        thread::spawn(|| record("child", 10)).join().unwrap();
        drop(guard.take());
        assert!(instana::status().agent.is_none());
    });
    record("parent", 10);
    let child_pid = child.pid();
    child.join();
    let recorded = busy.join() + 20;
    assert!(instana::flush(LONG));
    let spans = agent.spans();
    let grandchild_pid = std::fs::read_to_string(path()).unwrap();
    let own_pid = std::process::id().to_string();
    assert_sent_once(
        &spans,
        &[
            ("parent", &own_pid),
            ("child", &child_pid),
            ("grandchild", &grandchild_pid),
        ],
    );
    assert_eq!(named(&spans, "parent").len() as u64, recorded);
    assert_eq!(named(&spans, "child").len(), 20);
    assert_eq!(named(&spans, "grandchild").len(), 10);
    let counts = instana::status().spans;
    assert_eq!((counts.sent, counts.dropped()), (recorded, 0));
    agent.assert_clean();
}

fn path() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("grandchild")
}

#[test]
fn spans_that_are_open_at_the_fork_are_the_parents() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    let _guard = instana::builder()
        .agent(&agent.addr().to_string())
        .init()
        .unwrap();
    let mut outer = instana::entry_span("outer");
    let mut inner = outer.enter(|| instana::span("inner"));
    let mut pid = String::new();
    outer.enter(|| {
        let child = Child::fork(|| {
            inner.tag("in", "child");
            drop(std::mem::replace(&mut inner, Span::none()));
            instana::current(|span| drop(std::mem::replace(span, Span::none())));
            record("child", 1);
            assert!(instana::flush(LONG));
            let counts = instana::status().spans;
            assert_eq!(counts.recorded(), 1, "{counts:?}");
        });
        pid = child.pid();
        child.join();
    });
    drop(inner);
    drop(outer);
    assert!(instana::flush(LONG));
    let own_pid = std::process::id().to_string();
    let spans = agent.spans();
    assert_sent_once(
        &spans,
        &[("outer", &own_pid), ("inner", &own_pid), ("child", &pid)],
    );
    assert_eq!(spans.len(), 3);
}

#[test]
fn a_child_that_records_nothing_asks_no_agent() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut guard = instana::builder()
        .agent(&agent.addr().to_string())
        .init()
        .ok();
    assert!(guard.is_some());
    record("parent", 1);
    assert!(instana::flush(LONG));
    Child::fork(|| {
        let status = instana::status();
        assert_eq!(status.spans.recorded(), 0);
        assert!(instana::flush(LONG), "there is nothing to send");
        drop(guard.take());
    })
    .join();
    assert_eq!(agent.processes().len(), 1);
}

#[test]
fn ids_of_parent_and_child_differ() {
    let _alone = alone();
    let _guard = instana::builder().agent(NO_AGENT).init().unwrap();
    let ids = || -> Vec<String> {
        let spans = (0..50).map(|_| instana::entry_span("id"));
        spans.filter_map(|span| span.context().span_id()).collect()
    };
    ids();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("ids");
    let children: Vec<_> = (0..3)
        .map(|child| {
            let path = path.with_extension(child.to_string());
            Child::fork(move || std::fs::write(path, ids().join("\n")).unwrap())
        })
        .collect();
    let mut all: HashSet<String> = ids().into_iter().collect();
    for (child, process) in children.into_iter().enumerate() {
        process.join();
        let text = std::fs::read_to_string(path.with_extension(child.to_string())).unwrap();
        all.extend(text.lines().map(str::to_owned));
    }
    assert_eq!(all.len(), 200);
}

/// Each span of the busy threads takes the pool's lock.
#[test]
fn no_child_of_two_hundred_waits_for_a_lock_of_its_parents() {
    let _alone = alone();
    let _guard = instana::builder()
        .agent(NO_AGENT)
        .buffer_bytes(64 * 1024)
        .log_level(instana::LogLevel::Error)
        .init()
        .unwrap();
    let text = "x".repeat(4_000);
    let large = move || {
        let mut span = instana::entry_span("large");
        for name in ["a", "b", "c", "d"] {
            span.tag(name, &text);
        }
    };
    let busy = Busy::start(4, large.clone());
    for _ in 0..200 {
        Child::fork(|| {
            for _ in 0..5 {
                large();
            }
            let status = instana::status();
            assert!(status.agent.is_some());
            assert_eq!(status.spans.recorded(), 5);
        })
        .join();
    }
    busy.join();
    // The parent is unharmed.
    let before = instana::status().spans.recorded();
    large();
    assert_eq!(instana::status().spans.recorded(), before + 1);
}

#[test]
fn a_handle_in_use_at_the_fork_keeps_no_child_waiting() {
    let _alone = alone();
    let _guard = instana::builder()
        .agent(NO_AGENT)
        .log_level(instana::LogLevel::Error)
        .init()
        .unwrap();
    for _ in 0..50 {
        let mut span = instana::entry_span("shared");
        let handle = span.handle();
        let busy = Busy::start(2, {
            let handle = handle.clone();
            move || handle.clone().error("it failed")
        });
        thread::sleep(Duration::from_millis(1));
        let mut spans = vec![span];
        Child::fork(|| {
            handle.clone().tag("name", "child");
            spans.clear();
        })
        .join();
        busy.join();
    }
}

struct AtTheEnd;

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        record("at the end", 1);
    }
}

/// The first span of the child, which starts its agent thread, is one of a
/// thread that has lost its memory already.
#[test]
fn a_childs_first_span_may_end_while_its_thread_does() {
    thread_local! {
        static LAST: std::cell::Cell<Option<AtTheEnd>> = const { std::cell::Cell::new(None) };
    }
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    let _guard = instana::builder()
        .agent(&agent.addr().to_string())
        .init()
        .unwrap();
    Child::fork(|| {
        let ends = || {
            LAST.set(Some(AtTheEnd));
            // Touches the tracer's memory, which goes first.
            let _ = instana::Context::current();
        };
        thread::spawn(ends).join().unwrap();
        assert!(instana::flush(LONG));
        assert_eq!(instana::status().spans.sent, 1);
    })
    .join();
    assert_eq!(named(&agent.spans(), "at the end").len(), 1);
}

/// Events that wait at the fork are the parent's; the child's first event brings
/// it an agent thread.
#[test]
fn both_processes_send_their_own_events() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    agent.stop();
    let guard = instana::builder().agent(&agent.addr().to_string()).init();
    let mut guard = guard.ok();
    instana::event("of the parent").send();
    let mut children = Vec::new();
    for _ in 0..3 {
        children.push(Child::fork(|| {
            assert_eq!(instana::status().events.waiting, 0);
            instana::event("of a child").send();
            assert!(instana::flush(LONG));
            drop(guard.take());
        }));
    }
    agent.restart().unwrap();
    children.into_iter().for_each(Child::join);
    drop(guard);
    let events = agent.events();
    let of = |title: &str| {
        events
            .iter()
            .filter(|event| event["title"] == title)
            .count()
    };
    assert_eq!(
        (of("of the parent"), of("of a child")),
        (1, 3),
        "{events:?}"
    );
}

/// A logger of the application is in the way of nobody either.
#[test]
fn a_logger_that_is_replaced_at_the_fork_keeps_no_child_waiting() {
    let _alone = alone();
    let _guard = instana::builder().agent(NO_AGENT).init().unwrap();
    let busy = Busy::start(2, || instana::set_logger(|_, _| {}));
    for _ in 0..100 {
        Child::fork(|| instana::set_logger(|_, _| {})).join();
    }
    busy.join();
}

/// Names of functions are found on the agent thread, by what no other has: a
/// fork meanwhile leaves nothing locked.
#[cfg(target_os = "linux")]
#[test]
fn stacks_are_resolved_in_parent_and_children() {
    #[inline(never)]
    fn fail(name: &str) {
        instana::entry_span(name)
            .enter(|| instana::exit_span(&format!("{name} call")).error("refused"));
    }
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    let guard = instana::builder()
        .agent(&agent.addr().to_string())
        .transmission_delay(Duration::from_millis(10))
        .init()
        .unwrap();
    let busy = Busy::start(2, || {
        fail("parent");
        thread::sleep(Duration::from_millis(1));
    });
    for child in 0..10 {
        // The last one goes on until the debug information has been looked through, in its
        // 50 ms a second.
        let most = if child == 9 { 60 } else { 1 };
        let child = Child::fork(move || {
            // SAFETY: it takes a plain number.
            unsafe { libc::alarm(120) };
            let dropped = || instana::status().spans.stacks_dropped;
            let before = dropped();
            for _ in 0..most {
                let known = dropped();
                fail("child");
                assert!(instana::flush(LONG));
                if dropped() == known {
                    break;
                }
                thread::sleep(Duration::from_secs(u64::from(most > 1)));
            }
            instana::entry_span("child drops").tag("stacks", dropped() - before);
            assert!(instana::flush(LONG));
        });
        child.join();
    }
    busy.join();
    assert!(instana::flush(LONG));
    drop(guard);
    let spans = agent.spans();
    let mut calls = named(&spans, "child call");
    let all = calls.len() as u64;
    assert!(all >= 10);
    // A machine that is too slow for the 50 ms a second leaves some out, and says so.
    calls.retain(|call| call.get("stack").is_some());
    let drops = named(&spans, "child drops").into_iter();
    let drops: u64 = drops
        .map(|span| {
            span["data"]["sdk"]["custom"]["tags"]["stacks"]
                .as_u64()
                .unwrap()
        })
        .sum();
    assert_eq!(calls.len() as u64 + drops, all);
    assert!(!calls.is_empty());
    for call in calls {
        let method = call["stack"][0]["m"].as_str().unwrap();
        assert!(method.ends_with("::fail"), "{call}");
    }
    agent.assert_clean();
}
