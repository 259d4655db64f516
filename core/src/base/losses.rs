//! Losses inside of spans and messages, counted where they happen.

#[cfg(any(test, feature = "testing"))]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The losses of the process.
static PROCESS: Losses = Losses::new();

/// Calls what it is given with the losses of a recorder.
#[cfg(any(test, feature = "testing"))]
type WithLosses = fn(&dyn Fn(&Losses));

/// Calls its argument with the losses of the recorder that the running code is in, if it
/// is in one.
#[cfg(any(test, feature = "testing"))]
static OF_RECORDER: OnceLock<WithLosses> = OnceLock::new();

/// The losses of one tracer.
#[derive(Debug)]
pub(crate) struct Losses {
    attributes: AtomicU64,
    stacks: AtomicU64,
    contexts_malformed: AtomicU64,
    contexts_omitted: AtomicU64,
    cuts: AtomicU64,
    unbegun: AtomicU64,
}

/// How many there were: see [`SpanCounts`](crate::SpanCounts).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LossCounts {
    pub(crate) attributes: u64,
    pub(crate) stacks: u64,
    pub(crate) contexts_malformed: u64,
    pub(crate) contexts_omitted: u64,
    pub(crate) cuts: u64,
    pub(crate) unbegun: u64,
}

impl Losses {
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
        Self::count(|losses| &losses.attributes);
    }

    /// A stack for which there was no time.
    #[cold]
    pub(crate) fn stack() {
        Self::count(|losses| &losses.stacks);
    }

    /// The context of a message that cannot be understood.
    #[cold]
    pub(crate) fn context() {
        Self::count(|losses| &losses.contexts_malformed);
    }

    /// A context for which its message had no room.
    #[cold]
    pub(crate) fn omitted_context() {
        Self::count(|losses| &losses.contexts_omitted);
    }

    /// A span that did not begin, because there was no memory for it.
    #[cold]
    pub(crate) fn unbegun() {
        PROCESS.unbegun.fetch_add(1, Ordering::Relaxed);
    }

    /// A text longer than its field's limit.
    #[cold]
    pub(crate) fn cut() {
        Self::count(|losses| &losses.cuts);
    }

    /// Counts for the process, and for the recorder that the running code is in.
    #[inline(never)]
    fn count(counter: fn(&Self) -> &AtomicU64) {
        counter(&PROCESS).fetch_add(1, Ordering::Relaxed);
        #[cfg(any(test, feature = "testing"))]
        if let Some(of_recorder) = OF_RECORDER.get() {
            of_recorder(&|losses| {
                counter(losses).fetch_add(1, Ordering::Relaxed);
            });
        }
    }

    /// How the losses of the current recorder are found, from now on.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn find_recorder_by(of_recorder: WithLosses) {
        OF_RECORDER.get_or_init(|| of_recorder);
    }

    /// The counts of the process.
    pub(crate) fn of_process() -> LossCounts {
        PROCESS.counts()
    }

    pub(crate) fn counts(&self) -> LossCounts {
        LossCounts {
            attributes: self.attributes.load(Ordering::Relaxed),
            stacks: self.stacks.load(Ordering::Relaxed),
            contexts_malformed: self.contexts_malformed.load(Ordering::Relaxed),
            contexts_omitted: self.contexts_omitted.load(Ordering::Relaxed),
            cuts: self.cuts.load(Ordering::Relaxed),
            unbegun: self.unbegun.load(Ordering::Relaxed),
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
