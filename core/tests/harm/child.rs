//! All cases, and what their processes have in common.

use std::time::{Duration, Instant};

use instana::{Builder, Guard};

use crate::parent::Case;
use crate::{descriptors, forks, loggers, resources, taken};

/// What takes no time may take this long on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// The deadline of everything that waits for the agent.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) fn cases() -> Vec<Case> {
    let all = [
        descriptors::CASES,
        loggers::CASES,
        resources::CASES,
        forks::CASES,
        taken::CASES,
    ];
    all.into_iter().flat_map(|cases| (cases)()).collect()
}

pub(crate) fn for_agent(agent: &str) -> Builder {
    instana::builder().agent(agent)
}

/// Runs `f`, which must not take long.
#[track_caller]
pub(crate) fn soon<R>(f: impl FnOnce() -> R) -> R {
    let begin = Instant::now();
    let result = f();
    let took = begin.elapsed();
    assert!(took < SOON, "{took:?}");
    result
}

/// The life of an application: init, three spans, a flush, the end.
pub(crate) fn live(builder: Builder) {
    let guard = soon(|| builder.init().unwrap());
    live_on(guard);
}

pub(crate) fn live_on(guard: Guard) {
    record(3);
    assert!(guard.flush(LONG), "{}", instana::status());
    record(1);
    soon(|| drop(guard));
    assert_eq!(instana::status().spans.dropped(), 0);
}

pub(crate) fn record(spans: usize) {
    for _ in 0..spans {
        instana::entry_span("case").end();
    }
}

/// A signal does again what it does in a C program: Rust ignores SIGPIPE.
pub(crate) fn default_signal(signal: libc::c_int) {
    // SAFETY: both are numbers.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}
