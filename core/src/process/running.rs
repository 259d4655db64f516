//! The process's tracer while it runs: settings, pool and agent thread, tied
//! together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::base::log;
use crate::base::log::Logger;
use crate::config::{Config, Setting, Sources};
use crate::pipeline::event::{EventCounts, OUTBOX};
use crate::pipeline::metrics;
use crate::pipeline::metrics::Registration;
use crate::pipeline::signal;
use crate::pipeline::status::AgentState;
use crate::policy::Settings;
use crate::process::agent::Agent;
use crate::process::error::InitError;
#[cfg(unix)]
use crate::process::fork;
use crate::process::wake;
use crate::record::segment::POOL;
use crate::trace::context::tracer::GLOBAL;

/// After this time a forked child asks the system for a thread again.
const RETRY: Duration = Duration::from_secs(1);

/// The running tracer: one a process, from `init` until its guard is dropped.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

#[derive(Debug)]
pub(super) struct Running {
    sources: Arc<Sources>,
    /// The settings without the agent's, for what is started by them.
    config: Arc<Config>,
    /// Settings that were not understood, in words: ours, and the agent's.
    problems: Vec<String>,
    agents_problems: Vec<String>,
    /// `None` in a forked child, until it records its first spans.
    agent: Option<Agent>,
    /// In a forked child that got no thread for one: when it tries again.
    retry_at: Option<Instant>,
    /// The heap of C, if it is asked for.
    c_heap: Option<Registration>,
    /// It is being stopped: what comes in now changes nothing any more.
    stopping: bool,
}

/// Starts the tracer.
pub(crate) fn start(
    sources: Sources,
    config: Config,
    problems: Vec<String>,
    logger: Option<Logger>,
) -> Result<(), InitError> {
    let mut running = lock();
    if running.is_some() {
        return Err(InitError::AlreadyRunning);
    }
    log::set_level(config.log_level);
    log::remember_stderr();
    let old_logger = logger.and_then(log::replace);
    clock::start();
    #[cfg(unix)]
    fork::watch();
    let (sources, config) = (Arc::new(sources), Arc::new(config));
    let agent = Agent::new(&config);
    let secrets = config.secrets.clone();
    if let Err(error) = agent.start(&sources, &config, secrets, &problems) {
        drop(running);
        return Err(InitError::Thread(error));
    }
    GLOBAL.replace(Settings::new(Config::clone(&config)));
    OUTBOX.open(wake::event_ready);
    POOL.open(
        config.buffer_bytes,
        config.transmission_threshold,
        wake::spans_ready,
    );
    let settings = config.settings();
    let c_heap = config.glibc_heap.then(metrics::register_c_heap);
    wake::set(Some(&agent.signal));
    *running = Some(Running {
        sources,
        config,
        c_heap,
        problems: problems.clone(),
        agents_problems: Vec::new(),
        agent: Some(agent),
        retry_at: None,
        stopping: false,
    });
    // Not under the lock: a logger may call what takes it.
    drop(running);
    drop(old_logger);
    for problem in problems {
        log::warn(format_args!("{problem}"));
    }
    for setting in settings {
        log::debug(format_args!("setting {setting}"));
    }
    Ok(())
}

/// Stops the tracer: spans that are open are lost, those that have ended are
/// sent if that is done within `deadline`. Until then it counts as running, so
/// that no other can start into what this one still closes.
pub(crate) fn stop(deadline: Duration) {
    let until = signal::after(deadline);
    end(deadline);
    // What was said at the end, too.
    log::drain(until);
}

fn end(deadline: Duration) {
    let mut running = lock();
    let Some(tracer) = running.as_mut() else {
        return;
    };
    tracer.stopping = true;
    let agent = tracer.agent.clone();
    GLOBAL.switch_off();
    OUTBOX.close();
    drop(running);
    if let Some(agent) = agent {
        agent.stop(deadline);
    }
    let mut running = lock();
    POOL.close();
    OUTBOX.clear();
    // In a forked child it may have been started meanwhile.
    let stopped = running.take();
    wake::set(None);
    drop(running);
    let Some(stopped) = stopped else { return };
    if let Some(c_heap) = stopped.c_heap {
        c_heap.unregister();
    }
    if let Some(agent) = stopped.agent {
        let _ = agent.signal.shutdown(Duration::ZERO);
    }
}

/// Sends what was recorded so far.
pub(crate) fn flush(deadline: Duration) -> bool {
    let mut running = lock();
    let Some(tracer) = running.as_mut() else {
        return false;
    };
    if tracer.agent.is_none() && waiting() > 0 {
        tracer.start_in_child();
    }
    let agent = tracer.agent.clone();
    // Not under the lock: it blocks.
    drop(running);
    match agent {
        Some(agent) => agent.signal.flush(deadline),
        None => waiting() == 0,
    }
}

/// The parts of `Status` that this module knows.
pub(crate) fn report() -> Option<(Arc<AgentState>, Vec<String>)> {
    let running = lock();
    let running = running.as_ref()?;
    let Running {
        problems,
        agents_problems,
        ..
    } = running;
    Some((
        running.agent.as_ref()?.state.clone(),
        [problems.as_slice(), agents_problems].concat(),
    ))
}

/// True where no span and no event has come in since the start.
pub(crate) fn is_unused() -> bool {
    POOL.counts().recorded() == 0 && OUTBOX.counts() == EventCounts::default()
}

/// Spans and events that wait for the agent.
pub(super) fn waiting() -> u64 {
    POOL.counts().waiting + OUTBOX.counts().waiting
}

/// Starts the agent thread that a forked child does not have.
#[cold]
pub(super) fn start_in_child() {
    let mut running = lock();
    if let Some(tracer) = running.as_mut().filter(|tracer| tracer.agent.is_none()) {
        tracer.start_in_child();
    }
}

/// In a forked child: the agent thread is gone, as is a thread that was stopping the
/// tracer.
pub(super) fn after_fork(running: &mut RunningGuard) {
    if running.as_ref().is_some_and(|running| running.stopping) {
        **running = None;
    }
    if let Some(running) = running.as_mut() {
        running.agent = None;
        running.retry_at = None;
    }
}

/// What the agent says is in force from now on. Returns what was in force before; `None`
/// where the tracer with these sources is not running any more, or is being stopped: not
/// after a stop, which switched everything off, nor into the next tracer. `problems` are
/// the agent's.
pub(super) fn replace_settings(
    sources: &Arc<Sources>,
    config: Config,
    problems: Vec<String>,
) -> Option<Vec<Setting>> {
    let mut running = lock();
    let own = running
        .as_mut()
        .filter(|running| Arc::ptr_eq(&running.sources, sources) && !running.stopping)?;
    own.agents_problems = problems;
    let before = GLOBAL.get();
    GLOBAL.replace(Settings::new(config));
    let before = before.map(|settings| settings.config.settings());
    Some(before.unwrap_or_default())
}

impl Running {
    /// Starts the agent thread that a forked child does not have, once a second at most.
    #[cold]
    fn start_in_child(&mut self) {
        if self.stopping {
            return;
        }
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            POOL.remind();
            return;
        }
        // The parent may have the agent's settings.
        let settings = GLOBAL.get();
        let config = settings
            .as_ref()
            .map_or(&*self.config, |known| &known.config);
        let secrets = config.secrets.clone();
        let agent = Agent::new(&self.config);
        match agent.start(&self.sources, &self.config, secrets, &[]) {
            Ok(()) => {
                // Expressions have scratch space of their own under a lock, which the
                // parent's agent thread may have held at the fork: copies have another.
                let copy = Config::clone(config);
                GLOBAL.replace(Settings::new(copy));
                wake::set(Some(&agent.signal));
                self.agent = Some(agent);
            }
            Err(error) => {
                // Spans wait meanwhile; the next one that needs room asks again.
                if self.retry_at.is_none() {
                    log::warn(format_args!(
                        "no agent thread in the forked process, spans are kept: {error}"
                    ));
                }
                self.retry_at = Some(Instant::now() + RETRY);
                POOL.remind();
            }
        }
    }
}

/// The lock of the running tracer.
pub(super) type RunningGuard = MutexGuard<'static, Option<Running>>;

pub(super) fn lock() -> RunningGuard {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
