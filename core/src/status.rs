//! What the tracer does, did and could not do: for people, and for checks of
//! health.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::agent::status::AgentStatus;
use crate::config::Setting;
use crate::descriptor;
use crate::event::{EventCounts, OUTBOX};
use crate::local;
use crate::log;
use crate::runtime;
use crate::segment::POOL;
use crate::tracer::GLOBAL;
use crate::unrecorded;

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
    /// The tracer's own log lines, since the start of the process.
    pub lines: LineCounts,
    /// Bytes of memory that hold finished spans, bounded by
    /// [`Builder::buffer_bytes`](crate::Builder::buffer_bytes).
    pub buffer_bytes: usize,
    /// The most there may be of them.
    pub buffer_bound: usize,
    /// Descriptors of the tracer that the application has closed or replaced; it opened
    /// others. For the whole process.
    pub descriptors_lost: u64,
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
    /// Larger than the agent takes, in a request of their own, too.
    pub dropped_too_large: u64,
    /// Sent twice, and never answered: the agent may have them.
    pub dropped_unanswered: u64,
    /// That could not be written.
    pub dropped_invalid: u64,
    /// Ended when the tracer had stopped.
    pub dropped_stopped: u64,
    /// For which there was no memory. Those that could not even begin are counted for
    /// the whole process.
    pub dropped_memory: u64,
    /// Of those that were sent: the agent may have them twice, for it did not answer in
    /// time when they came first.
    pub maybe_twice: u64,
    /// Attributes left out because their span had 16 KiB of them, or because there was
    /// no memory. For the whole process, also before `init`.
    pub attributes_dropped: u64,
    /// Stacks of exits left out, because the time for finding names of functions
    /// was used up (`docs/ENVIRONMENT.md`). For the whole process.
    pub stacks_dropped: u64,
    /// Entries that were not recorded, because they began inside of an open entry that
    /// counts as the same call (`docs/ARCHITECTURE.md`, "Entries inside of entries"):
    /// requests that the process sends to itself without a socket, most of the time.
    /// The log names the place of the first. For the whole process.
    pub entries_inside: u64,
    /// Exits that were not recorded, because they began outside of any entry: in a task
    /// that was spawned without its context, in a handler without a layer around it, or
    /// in work that has no entry. The log names the place of the first, and what can
    /// be done. For the whole process.
    pub exits_outside: u64,
    /// The same of pieces of work ([`span`](crate::span()),
    /// [`#[trace]`](https://docs.rs/instana-macros)).
    pub intermediates_outside: u64,
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

    /// All that were not recorded because of where they began.
    pub fn unrecorded(&self) -> u64 {
        self.entries_inside + self.exits_outside + self.intermediates_outside
    }

    /// All that were dropped, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_full
            + self.dropped_rejected
            + self.dropped_too_large
            + self.dropped_unanswered
            + self.dropped_invalid
            + self.dropped_stopped
            + self.dropped_memory
    }
}

/// What became of the tracer's own log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineCounts {
    /// Written to standard error, or taken by the [logger](crate::set_logger).
    pub written: u64,
    /// That wait to be written.
    pub waiting: u64,
    /// That found no room because those before them were not written, that the logger
    /// panicked at, or for which there was no standard error any more.
    pub unwritten: u64,
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
            dropped_too_large: counts.dropped_too_large,
            dropped_unanswered: counts.dropped_unanswered,
            dropped_invalid: counts.dropped_invalid,
            dropped_stopped: counts.dropped_stopped,
            dropped_memory: counts.dropped_memory + DROPS.unbegun.load(Ordering::Relaxed),
            maybe_twice: counts.maybe_twice,
            ..DROPS.counts(unrecorded::PROCESS.counts())
        },
        events: OUTBOX.counts(),
        lines: log::counts(),
        buffer_bytes: POOL.memory(),
        buffer_bound: POOL.bound(),
        descriptors_lost: descriptor::lost(),
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
        if spans.unrecorded() > 0 {
            writeln!(
                f,
                "lost       by where they began: exits {} and work {} outside of entries, \
                 entries {} inside of entries",
                spans.exits_outside, spans.intermediates_outside, spans.entries_inside
            )?;
        }
        if spans.ignored > 0 {
            writeln!(f, "ignored    {} by rules", spans.ignored)?;
        }
        if spans.dropped() > 0 {
            writeln!(
                f,
                "dropped    {} no room, {} refused by the agent, {} too large for it, {} never \
                 answered, {} not writable, {} after the stop, {} no memory",
                spans.dropped_full,
                spans.dropped_rejected,
                spans.dropped_too_large,
                spans.dropped_unanswered,
                spans.dropped_invalid,
                spans.dropped_stopped,
                spans.dropped_memory
            )?;
        }
        if spans.maybe_twice > 0 {
            writeln!(
                f,
                "twice      {} may have arrived twice: the agent did not answer in time",
                spans.maybe_twice
            )?;
        }
        if self.descriptors_lost > 0 {
            writeln!(
                f,
                "files      {} of the tracer's descriptors closed or replaced by the application",
                self.descriptors_lost
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
        let lines = &self.lines;
        if lines.waiting + lines.unwritten > 0 {
            writeln!(
                f,
                "log lines  {} written, {} waiting, {} not written",
                lines.written, lines.waiting, lines.unwritten
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

/// Losses inside spans and messages, counted where they happen: those of the process.
static DROPS: Drops = Drops::new();

/// The losses of one tracer.
#[derive(Debug)]
pub(crate) struct Drops {
    attributes: AtomicU64,
    stacks: AtomicU64,
    contexts_malformed: AtomicU64,
    contexts_omitted: AtomicU64,
    cuts: AtomicU64,
    unbegun: AtomicU64,
}

impl Drops {
    pub(crate) const fn new() -> Self {
        Self {
            attributes: AtomicU64::new(0),
            stacks: AtomicU64::new(0),
            contexts_malformed: AtomicU64::new(0),
            contexts_omitted: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            unbegun: AtomicU64::new(0),
        }
    }

    /// An attribute for which its span had no room.
    #[cold]
    pub(crate) fn attribute() {
        Self::of_current(|drops| &drops.attributes);
    }

    /// A stack for which there was no time.
    #[cold]
    pub(crate) fn stack() {
        Self::of_current(|drops| &drops.stacks);
    }

    /// The context of a message that cannot be understood.
    #[cold]
    pub(crate) fn context() {
        Self::of_current(|drops| &drops.contexts_malformed);
    }

    /// A context for which its message had no room.
    #[cold]
    pub(crate) fn omitted_context() {
        Self::of_current(|drops| &drops.contexts_omitted);
    }

    /// A span that did not begin, because there was no memory for it.
    #[cold]
    pub(crate) fn unbegun() {
        DROPS.unbegun.fetch_add(1, Ordering::Relaxed);
    }

    /// A text longer than its field's limit.
    #[cold]
    pub(crate) fn cut() {
        Self::of_current(|drops| &drops.cuts);
    }

    /// Counts for the process, and for the tracer of the current context where that is
    /// a recorder's.
    #[inline(never)]
    fn of_current(counter: impl Fn(&Self) -> &AtomicU64) {
        let count = |drops: &Self| counter(drops).fetch_add(1, Ordering::Relaxed);
        count(&DROPS);
        local::with_current(|context| context.scope().map(|scope| count(scope.drops())));
    }

    /// These, and the spans that were not recorded; all else is 0.
    pub(crate) fn counts(&self, unrecorded: unrecorded::Counts) -> SpanCounts {
        SpanCounts {
            attributes_dropped: self.attributes.load(Ordering::Relaxed),
            stacks_dropped: self.stacks.load(Ordering::Relaxed),
            contexts_malformed: self.contexts_malformed.load(Ordering::Relaxed),
            contexts_omitted: self.contexts_omitted.load(Ordering::Relaxed),
            texts_cut: self.cuts.load(Ordering::Relaxed),
            entries_inside: unrecorded.entries_inside,
            exits_outside: unrecorded.exits_outside,
            intermediates_outside: unrecorded.intermediates_outside,
            ..SpanCounts::default()
        }
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn clear(&self) {
        for count in [
            &self.attributes,
            &self.stacks,
            &self.contexts_malformed,
            &self.contexts_omitted,
            &self.cuts,
        ] {
            count.store(0, Ordering::Relaxed);
        }
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
