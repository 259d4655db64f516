//! The locks of the tracer, held over a fork.

use crate::base::external;
use crate::base::log;
use crate::pipeline::event::{OUTBOX, OutboxGuard};
use crate::pipeline::metrics;
use crate::policy::LiveSettingsGuard;
use crate::process::running::{self, RunningGuard};
use crate::process::wake;
use crate::record::registry::{FAMILIES, RegistryGuard, SECTIONS};
use crate::record::segment::{POOL, PoolGuard};
use crate::record::{Family, Section};
use crate::trace::context::block;
use crate::trace::context::local;
use crate::trace::context::slow_polls;
use crate::trace::context::tracer::GLOBAL;

/// The locks that a fork must not leave locked in the child.
#[derive(Debug)]
pub(crate) struct ForkLocks {
    running: RunningGuard,
    pool: PoolGuard<'static>,
    outbox: OutboxGuard<'static>,
    _settings: LiveSettingsGuard<'static>,
    _families: RegistryGuard<'static, Family>,
    _sections: RegistryGuard<'static, Section>,
    _metrics: metrics::MetricsGuard,
    _slow_polls: slow_polls::LocationsGuard,
    lines: log::QueueGuard<'static>,
    foreign: external::CallsGuard,
}

/// Takes them, in the order in which the rest of the tracer nests them.
pub(crate) fn hold() -> ForkLocks {
    // First, and alone: what is waited for may take all the others.
    let foreign = external::hold();
    ForkLocks {
        running: running::lock(),
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

impl ForkLocks {
    /// In a forked child: the agent thread is gone, as is a thread that was
    /// stopping the tracer; spans and events that wait or are open are the parent's.
    pub(crate) fn in_child(mut self) {
        running::after_fork(&mut self.running);
        wake::set(None);
        POOL.after_fork(&mut self.pool);
        self.outbox.after_fork();
        self.lines.after_fork();
        self.foreign.after_fork();
        block::disown();
        local::reseed();
    }
}
