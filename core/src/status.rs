//! What the tracer does, did and could not do: for people, and for checks of
//! health.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::agent::status::AgentStatus;
use crate::config::Setting;
use crate::event::{EventCounts, OUTBOX};
use crate::runtime;
use crate::segment::POOL;
use crate::tracer::GLOBAL;

/// The state of the process's tracer, at the moment it is asked for.
///
/// ```
/// println!("{}", instana::status());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The agent thread; `None` before `init`, after the guard was dropped, and in
    /// a forked child until it has recorded a span.
    pub agent: Option<AgentStatus>,
    /// Spans since `init`.
    pub spans: SpanCounts,
    /// Events since `init`.
    pub events: EventCounts,
    /// Bytes of memory that hold finished spans, bounded by
    /// [`Builder::buffer_bytes`](crate::Builder::buffer_bytes).
    pub buffer_bytes: usize,
    /// The most there may be of them.
    pub buffer_bound: usize,
    /// The settings in force, and who set them; empty before `init`.
    pub settings: Vec<Setting>,
    /// Settings that could not be used, in words.
    pub problems: Vec<String>,
}

/// What became of spans. Recorded are all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanCounts {
    /// Acknowledged by the agent.
    pub sent: u64,
    /// Left out by a rule when they had ended. Those that a rule kept from being
    /// recorded at all are not counted.
    pub ignored: u64,
    /// Kept for the agent.
    pub waiting: u64,
    /// The oldest, dropped when there was no room.
    pub dropped_full: u64,
    /// Refused by the agent again and again.
    pub dropped_rejected: u64,
    /// That could not be written.
    pub dropped_invalid: u64,
    /// Ended when the tracer had stopped.
    pub dropped_stopped: u64,
    /// Attributes left out because their span had 16 KiB of them. For the whole
    /// process, also before `init`.
    pub attributes_dropped: u64,
    /// Stacks of exits left out, because the time for finding names of functions
    /// was used up (`docs/ENVIRONMENT.md`). For the whole process.
    pub stacks_dropped: u64,
    /// Messages that came in with a trace context that could not be understood: their
    /// entries begin a trace. For the whole process.
    pub contexts_malformed: u64,
    /// Messages that went out without their trace context, because they had no room
    /// for it. For the whole process.
    pub contexts_omitted: u64,
    /// Texts cut to their limit. For the whole process, also before `init`.
    pub texts_cut: u64,
}

impl SpanCounts {
    /// All that were recorded: sent, ignored, waiting and dropped.
    pub fn recorded(&self) -> u64 {
        self.sent + self.ignored + self.waiting + self.dropped()
    }

    /// All that were dropped, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_full + self.dropped_rejected + self.dropped_invalid + self.dropped_stopped
    }
}

/// The state of the process's tracer now.
pub fn status() -> Status {
    let report = runtime::report();
    let counts = POOL.counts();
    Status {
        problems: report
            .as_ref()
            .map(|(_, problems)| problems.clone())
            .unwrap_or_default(),
        agent: report.map(|(state, _)| state.read()),
        spans: SpanCounts {
            sent: counts.sent,
            ignored: counts.ignored,
            waiting: counts.waiting,
            dropped_full: counts.dropped_full,
            dropped_rejected: counts.dropped_rejected,
            dropped_invalid: counts.dropped_invalid,
            dropped_stopped: counts.dropped_stopped,
            attributes_dropped: DROPS.attributes.load(Ordering::Relaxed),
            stacks_dropped: DROPS.stacks.load(Ordering::Relaxed),
            contexts_malformed: DROPS.contexts_malformed.load(Ordering::Relaxed),
            contexts_omitted: DROPS.contexts_omitted.load(Ordering::Relaxed),
            texts_cut: DROPS.cuts.load(Ordering::Relaxed),
        },
        events: OUTBOX.counts(),
        buffer_bytes: POOL.memory(),
        buffer_bound: POOL.bound(),
        settings: GLOBAL
            .get()
            .map(|settings| settings.config.settings())
            .unwrap_or_default(),
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.agent {
            None => writeln!(f, "tracer     not running")?,
            Some(agent) => {
                writeln!(f, "agent      {agent}")?;
                for error in &agent.errors {
                    writeln!(f, "error      {error}")?;
                }
            }
        }
        let spans = &self.spans;
        writeln!(
            f,
            "spans      {} sent, {} waiting, {} dropped",
            spans.sent,
            spans.waiting,
            spans.dropped()
        )?;
        if spans.ignored > 0 {
            writeln!(f, "ignored    {} by rules", spans.ignored)?;
        }
        if spans.dropped() > 0 {
            writeln!(
                f,
                "dropped    {} no room, {} refused by the agent, {} not writable, {} after the stop",
                spans.dropped_full,
                spans.dropped_rejected,
                spans.dropped_invalid,
                spans.dropped_stopped
            )?;
        }
        writeln!(
            f,
            "cut        {} attributes and {} stacks left out, {} texts shortened",
            spans.attributes_dropped, spans.stacks_dropped, spans.texts_cut
        )?;
        if spans.contexts_malformed + spans.contexts_omitted > 0 {
            writeln!(
                f,
                "messages   {} with a context that could not be read, {} without room for theirs",
                spans.contexts_malformed, spans.contexts_omitted
            )?;
        }
        let events = &self.events;
        if *events != EventCounts::default() {
            writeln!(
                f,
                "events     {} sent, {} waiting, {} dropped ({} no room, {} refused by the agent, \
                 {} at the stop)",
                events.sent,
                events.waiting,
                events.dropped(),
                events.dropped_full,
                events.dropped_rejected,
                events.dropped_stopped
            )?;
        }
        write!(
            f,
            "buffer     {} KiB of {} KiB",
            self.buffer_bytes / 1024,
            self.buffer_bound / 1024
        )?;
        for setting in &self.settings {
            write!(f, "\nsetting    {setting}")?;
        }
        for problem in &self.problems {
            write!(f, "\nproblem    {problem}")?;
        }
        Ok(())
    }
}

/// Losses inside spans, counted where they happen.
pub(crate) static DROPS: Drops = Drops {
    attributes: AtomicU64::new(0),
    stacks: AtomicU64::new(0),
    contexts_malformed: AtomicU64::new(0),
    contexts_omitted: AtomicU64::new(0),
    cuts: AtomicU64::new(0),
};

#[derive(Debug)]
pub(crate) struct Drops {
    attributes: AtomicU64,
    stacks: AtomicU64,
    contexts_malformed: AtomicU64,
    contexts_omitted: AtomicU64,
    cuts: AtomicU64,
}

impl Drops {
    /// An attribute for which its span had no room.
    #[cold]
    pub(crate) fn attribute(&self) {
        self.attributes.fetch_add(1, Ordering::Relaxed);
    }

    /// A stack for which there was no time.
    #[cold]
    pub(crate) fn stack(&self) {
        self.stacks.fetch_add(1, Ordering::Relaxed);
    }

    /// The context of a message that cannot be understood.
    #[cold]
    pub(crate) fn context(&self) {
        self.contexts_malformed.fetch_add(1, Ordering::Relaxed);
    }

    /// A context for which its message had no room.
    #[cold]
    pub(crate) fn omitted_context(&self) {
        self.contexts_omitted.fetch_add(1, Ordering::Relaxed);
    }

    /// A text longer than its field's limit.
    #[cold]
    pub(crate) fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_can_be_read_without_a_tracer() {
        let text = status().to_string();
        assert!(text.contains("not running"), "{text}");
    }
}
