//! Forks at every moment, while our threads are busy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use instana::metrics::{self, Readings};

use crate::child::{LONG, for_agent, record, soon};
use crate::parent::{Case, Run, agent, collect, pipe};

pub(crate) const CASES: fn() -> Vec<Case> = || {
    vec![
        Case {
            name: "forks_at_every_moment",
            parent: into_a_pipe,
            child: |agent| forks(agent, false),
        },
        Case {
            name: "forks_while_the_logger_holds_the_lock_of_standard_error",
            parent: into_a_pipe,
            child: |agent| forks(agent, true),
        },
        Case {
            name: "forks_while_the_logger_is_in_the_middle",
            parent: into_a_pipe,
            child: in_the_middle,
        },
        Case {
            name: "a_fork_in_a_destructor_of_its_thread",
            parent: into_a_pipe,
            child: in_a_destructor,
        },
        Case {
            name: "a_logger_that_blocks_delays_one_fork_only",
            parent: into_a_pipe,
            child: |agent| {
                let blocks = |_: instana::LogLevel, _: &str| {
                    loop {
                        thread::park();
                    }
                };
                let _guard = for_agent(agent).logger(blocks).init().unwrap();
                thread::sleep(Duration::from_millis(100));
                let times = (0..100).map(|_| {
                    let begin = Instant::now();
                    child(|| eprintln!("child")).join();
                    begin.elapsed()
                });
                // Each would wait for 50 ms.
                let shortest = times.min().unwrap();
                assert!(shortest < Duration::from_millis(50), "{shortest:?}");
            },
        },
    ]
};

fn into_a_pipe(case: &Case) {
    let (read, write) = pipe();
    let lines = collect(read);
    Run::start(case, &agent(), Stdio::from(write)).join();
    let _ = lines.recv();
}

/// The thread's other values are gone when the one that was there first forks.
fn in_a_destructor(agent: &str) {
    struct Forks;

    impl Drop for Forks {
        fn drop(&mut self) {
            let fork = child(|| {
                let spans = instana::status().spans;
                assert_eq!(spans.recorded(), 0, "spans of the parent: {spans:?}");
                record(2);
                assert!(instana::flush(LONG), "{}", instana::status());
                assert_eq!(instana::status().spans.sent, 2);
            });
            fork.join();
        }
    }

    thread_local! {
        static FIRST: Forks = const { Forks };
    }

    let _guard = for_agent(agent).init().unwrap();
    record(3);
    let thread = thread::spawn(|| {
        FIRST.with(|_| ());
        record(1);
        child(|| ()).join();
    });
    thread.join().unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a setting of this test")]
fn times() -> usize {
    match std::env::var("INSTANA_HARM") {
        Ok(long) if long == "long" => 5_000,
        _ => 300,
    }
}

/// Each tenth fork comes right behind an `init`, the others while lines are written and
/// sources of metrics are asked.
fn forks(agent: &str, own_logger: bool) {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    if own_logger {
        instana::set_logger(|_, line| eprintln!("logger: {line}"));
    }
    let sources: Vec<_> = (0..64)
        .map(|_| {
            metrics::register("source", |_: &mut Readings| {
                eprint!(".");
            })
        })
        .collect();
    let busy = thread::spawn(|| {
        while !IS_OVER.load(Ordering::Relaxed) {
            // One too many: a line each time.
            metrics::register("one too many", |_: &mut Readings| {});
            record(10);
            thread::sleep(Duration::from_micros(200));
        }
    });
    let mut guard = None;
    for time in 0..times() {
        if time % 10 == 0 {
            soon(|| drop(guard.take()));
            let builder = for_agent(agent).flush_deadline(Duration::from_millis(100));
            guard = Some(soon(|| builder.init().unwrap()));
        } else {
            thread::sleep(Duration::from_micros(time as u64 * 37 % 1_000));
        }
        let fork = soon(|| {
            child(|| {
                record(1);
                eprintln!("child");
                drop(std::io::stdout().lock());
                let _ = instana::status();
                metrics::register("of the child", |_: &mut Readings| {});
            })
        });
        fork.join();
    }
    IS_OVER.store(true, Ordering::Relaxed);
    busy.join().unwrap();
    drop(sources);
    soon(|| drop(guard));
}

/// The fork comes while the lock is held for sure.
fn in_the_middle(agent: &str) {
    static IS_INSIDE: AtomicBool = AtomicBool::new(false);
    instana::set_logger(|_, _| {
        let lock = std::io::stderr().lock();
        IS_INSIDE.store(true, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5));
        drop(lock);
    });
    let _guard = for_agent(agent).init().unwrap();
    let _sources: Vec<_> = (0..64)
        .map(|_| metrics::register("source", |_: &mut Readings| {}))
        .collect();
    for _ in 0..20 {
        IS_INSIDE.store(false, Ordering::SeqCst);
        metrics::register("one too many", |_: &mut Readings| {});
        while !IS_INSIDE.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        child(|| eprintln!("child")).join();
    }
}

/// A forked child.
pub(crate) struct Fork(libc::pid_t);

/// Forks; the child runs `f` and ends, and is killed if that hangs.
pub(crate) fn child(f: impl FnOnce()) -> Fork {
    // SAFETY: the child runs `f` and nothing else; the allocator and std's thread functions
    // work in it on these systems.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork failed");
    if pid > 0 {
        return Fork(pid);
    }
    // SAFETY: both functions take plain numbers.
    unsafe { libc::alarm(60) };
    let failed = catch_unwind(AssertUnwindSafe(f)).is_err();
    // SAFETY: as above.
    unsafe { libc::_exit(i32::from(failed)) }
}

impl Fork {
    /// Waits for its end, which has to be a good one.
    pub(crate) fn join(self) {
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        let pid = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        assert_eq!(pid, self.0);
        assert!(
            !libc::WIFSIGNALED(status),
            "signal {}",
            libc::WTERMSIG(status)
        );
        assert_eq!(libc::WEXITSTATUS(status), 0, "the child failed");
    }
}
