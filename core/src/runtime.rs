//! The process's tracer while it runs: settings, pool and agent thread, tied
//! together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::agent::lifecycle::Tempo;
use crate::agent::lookup;
use crate::agent::session::{AgentConfig, Session};
use crate::agent::signal::{self, Signal};
use crate::agent::status::AgentState;
use crate::agent::worker::{Applied, MetricSource, SettingsSink, Worker};
use crate::clock;
use crate::config::{Config, Setting, Sources, Tree};
use crate::event::{Courier, EventCounts, OUTBOX, OutboxGuard};
use crate::export::Exporter;
use crate::foreign;
#[cfg(unix)]
use crate::fork;
use crate::init::InitError;
use crate::local;
use crate::log::{self, Logger};
use crate::metrics::{self, Metrics, Registration};
use crate::record::{FAMILIES, RegistryGuard, SECTIONS};
use crate::secrets::Matcher;
use crate::segment::{POOL, PoolGuard};
use crate::settings::{LiveGuard, Settings};
use crate::slow_polls;
use crate::span::{Family, Section, block};
use crate::tracer::GLOBAL;

/// After this time a forked child asks the system for a thread again.
const RETRY: Duration = Duration::from_secs(1);

/// What there is once a process, from `init` until the guard is dropped.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

#[derive(Debug)]
struct Running {
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

/// The agent thread, seen from the others.
#[derive(Clone, Debug)]
struct Agent {
    signal: Arc<Signal>,
    state: Arc<AgentState>,
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
    OUTBOX.open();
    POOL.open(config.buffer_bytes, config.transmission_threshold, wake);
    let settings = config.settings();
    let c_heap = config.glibc_heap.then(metrics::register_c_heap);
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

/// What `status` tells of this module's parts.
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
fn waiting() -> u64 {
    POOL.counts().waiting + OUTBOX.counts().waiting
}

/// Called by the pool when enough spans wait, and in a forked child when the
/// first one does.
fn wake() {
    tell(Signal::spans_ready);
}

/// An event waits.
pub(crate) fn event_ready() {
    tell(Signal::event_ready);
}

/// Tells the agent thread, which a forked child has to start first.
fn tell(news: fn(&Signal)) {
    let mut running = lock();
    let Some(tracer) = running.as_mut() else {
        return;
    };
    if let Some(agent) = &tracer.agent {
        return news(&agent.signal);
    }
    tracer.start_in_child();
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
        // The parent may know those of the agent.
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

/// The locks that a fork must not leave locked in the child.
#[derive(Debug)]
pub(crate) struct Held {
    running: MutexGuard<'static, Option<Running>>,
    pool: PoolGuard<'static>,
    outbox: OutboxGuard<'static>,
    _settings: LiveGuard<'static>,
    _families: RegistryGuard<'static, Family>,
    _sections: RegistryGuard<'static, Section>,
    _metrics: metrics::Held,
    _slow_polls: slow_polls::Held,
    lines: log::QueueGuard<'static>,
    foreign: foreign::Held,
}

/// Takes them, in the order in which the rest of the tracer nests them.
pub(crate) fn hold() -> Held {
    // First, and alone: what is waited for may take all the others.
    let foreign = foreign::hold();
    Held {
        running: lock(),
        pool: POOL.hold(),
        outbox: OUTBOX.hold(),
        _settings: GLOBAL.hold(),
        _families: FAMILIES.hold(),
        _sections: SECTIONS.hold(),
        _metrics: metrics::hold(),
        _slow_polls: slow_polls::hold(),
        lines: log::hold(),
        foreign,
    }
}

impl Held {
    /// In a forked child: the agent thread is gone, as is a thread that was
    /// stopping the tracer; spans and events that wait or are open are the parent's.
    pub(crate) fn in_child(mut self) {
        if self
            .running
            .as_ref()
            .is_some_and(|running| running.stopping)
        {
            *self.running = None;
        }
        if let Some(running) = self.running.as_mut() {
            running.agent = None;
            running.retry_at = None;
        }
        POOL.after_fork(&mut self.pool);
        self.outbox.after_fork();
        self.lines.after_fork();
        self.foreign.after_fork();
        block::disown();
        local::reseed();
    }
}

fn lock() -> MutexGuard<'static, Option<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agent {
    /// Sends what waits, and ends the agent thread.
    fn stop(&self, deadline: Duration) {
        // With nothing to send, the agent thread may end when it likes.
        let waiting = waiting();
        let deadline = if waiting == 0 {
            Duration::ZERO
        } else {
            deadline
        };
        if !self.signal.shutdown(deadline) && waiting > 0 {
            log::warn(format_args!(
                "not all spans and events could be sent within {deadline:?}: {}",
                self.state.read()
            ));
        }
    }

    fn new(config: &Config) -> Self {
        Self {
            signal: Arc::new(Signal::default()),
            state: Arc::new(AgentState::new(&config.plugin)),
        }
    }

    /// Starts the thread. It tells the agent of the problems, too. `secrets` are
    /// those of the first announce.
    fn start(
        &self,
        sources: &Arc<Sources>,
        config: &Config,
        secrets: Matcher,
        problems: &[String],
    ) -> std::io::Result<()> {
        let mut session = Session::new(
            AgentConfig {
                host: config.agent_host.clone(),
                port: config.agent_port,
                plugin: config.plugin.clone(),
                timeout: config.agent_timeout,
                gateway: lookup::default_gateway,
            },
            secrets,
            Courier::new(),
            self.state.clone(),
        );
        session.keep_problems(problems);
        let worker = Worker::new(
            session,
            Exporter::new(&POOL, &GLOBAL),
            Measurements(Metrics::new(config)),
            Merge(sources.clone()),
            Tempo {
                spans: config.transmission_delay,
                retry: config.retry_interval,
            },
            self.signal.clone(),
            self.state.clone(),
        );
        worker.spawn().map(drop)
    }
}

/// The metrics as the agent thread asks for them.
#[derive(Debug)]
struct Measurements(Metrics);

impl MetricSource for Measurements {
    fn encode(&mut self, pid: u64, snapshot: bool, body: &mut Vec<u8>) {
        body.clear();
        self.0.encode(pid, snapshot, body);
    }
}

/// Joins what the agent says with what was configured, which wins.
#[derive(Debug)]
struct Merge(Arc<Sources>);

impl SettingsSink for Merge {
    fn apply(&self, answer: &Tree) -> Applied {
        let (config, problems) = self.0.with_agent(answer);
        let applied = Applied {
            metrics_interval: config.metrics_interval,
            secrets: config.secrets.clone(),
            problems: problems.clone(),
        };
        let mut running = lock();
        let own = running
            .as_mut()
            .filter(|running| Arc::ptr_eq(&running.sources, &self.0) && !running.stopping);
        // Not after a stop, which switched everything off, nor into the next
        // tracer.
        let Some(own) = own else {
            return applied;
        };
        own.agents_problems = problems;
        let now = config.settings();
        let before = GLOBAL.get();
        GLOBAL.replace(Settings::new(config));
        // Not under the lock: a logger may call what takes it.
        drop(running);
        let before = before.map(|settings| settings.config.settings());
        for setting in changed(&now, &before.unwrap_or_default()) {
            log::debug(format_args!("setting {setting}"));
        }
        applied
    }
}

fn changed<'a>(now: &'a [Setting], before: &'a [Setting]) -> impl Iterator<Item = &'a Setting> {
    now.iter().filter(|setting| !before.contains(setting))
}
