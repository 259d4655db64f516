//! Spans: started, described while they are open, and recorded when they end.
//!
//! # For applications
//!
//! [`span`], [`entry_span`] and [`exit_span`] start spans with a name of your own;
//! [`Span`] describes them, [`current`] lends the one that the running code is in.
//!
//! ```
//! use instana::{Span, entry_span, exit_span};
//!
//! fn report(day: &str) -> Result<usize, std::io::Error> {
//!     let mut read = exit_span("read the archive");
//!     read.tag("day", day);
//!     let read = read.enter(|| std::fs::read(format!("/archive/{day}")));
//!     instana::current(|span: &mut Span| match &read {
//!         Ok(bytes) => span.tag("bytes", bytes.len() as u64),
//!         Err(error) => span.record_error(error),
//!     });
//!     Ok(read?.len())
//! }
//!
//! let _ = entry_span("nightly report").enter(|| report("2026-11-30"));
//! ```
//!
//! # For authors of instrumentation
//!
//! A [`Family`] declares what a library's spans are called and, with
//! [`section!`](crate::section!), which attributes they have. An exit is started where the
//! call is made ([`Span::exit`]), described, [decided](Span::decide), and its headers are
//! [written](Span::inject); an entry takes what its headers
//! [say](crate::propagation::Incoming::extract).
//!
//! ```
//! use instana::propagation::{Header, Inject};
//! use instana::span::{Family, Kind};
//! use instana::{FutureExt, Span};
//!
//! instana::section! {
//!     /// `data.queue`: a call to our job queue.
//!     struct Queue = "queue" {
//!         /// The queue's name.
//!         name: text(200),
//!         /// What went wrong.
//!         error: error(200),
//!     }
//! }
//!
//! static PUSH: Family = Family::new("queue", Kind::Exit, Queue::SECTION, "messaging");
//!
//! struct Job(Vec<(&'static str, String)>);
//!
//! impl Inject for Job {
//!     fn set(&mut self, header: Header, value: &[u8]) {
//!         self.0.push((header.name(), String::from_utf8_lossy(value).into_owned()));
//!     }
//!
//!     fn remove(&mut self, header: Header) {
//!         self.0.retain(|(name, _)| *name != header.name());
//!     }
//! }
//!
//! async fn push(name: &str, mut job: Job) {
//!     let mut exit = Span::exit(&PUSH);
//!     Queue::record(&mut exit, |queue| {
//!         queue.name(name);
//!     });
//!     exit.decide();
//!     exit.inject(&mut job);
//!     async { /* the call */ }.in_span(exit).await;
//! }
//! ```

mod attempt;
mod carrier;
mod causes;
mod describe;
mod entered;
mod error;
pub(crate) mod handle;
pub mod http;
mod instrument;
#[cfg(tokio_unstable)]
mod make_current;
mod preset;
mod quoted;
pub mod sql;
pub(crate) mod stack;
mod start;
#[cfg(test)]
mod tests;
mod unrecorded;

use std::fmt;

use crate::base::clock;
use crate::record::registry::FAMILIES;
use crate::record::sdk;
use crate::trace::context::Context;
use crate::trace::context::block::Block;
use crate::trace::context::local;
use crate::trace::propagation::ServerTiming;

pub use self::attempt::Attempt;
pub use self::carrier::suppress;
pub(crate) use self::entered::Entered;
pub use self::error::Failure;
pub use self::handle::Handle;
pub use self::preset::Preset;
pub use self::quoted::without_values;
pub use crate::record::{
    AsTag, Family, Field, Fields, Kind, LogEntry, Recording, Section, Shape, TagValue,
};
pub use crate::trace::context::unrecorded::called_from;

/// An open span: eight bytes that own a block of the thread's pool.
///
/// It ends when it is dropped (or by [`end`](Self::end)), and is on its way to
/// the agent from then on: nothing waits for its parent. Where there is no
/// tracer, no trace or a suppressed one, every method is a no-op.
///
/// A span is entered by [`enter`](Self::enter) or
/// [`in_span`](crate::FutureExt::in_span) only; what runs inside finds it by
/// [`current`].
#[must_use = "a span ends when it is dropped: bind it to a name, or enter it"]
pub struct Span(Option<Box<Block>>);

/// # For applications: what a span is, and what runs in it
///
/// [`tag`](Self::tag), [`log`](Self::log), [`error`](Self::error) and
/// [`record_error`](Self::record_error) describe it.
impl Span {
    /// A span of nothing: every call on it is a no-op.
    pub const fn none() -> Self {
        Self(None)
    }

    /// True for what [`none`](Self::none) makes: nothing is recorded and no context
    /// is carried.
    #[inline]
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// True where attributes are kept: false for suppressed spans and no-ops.
    #[inline]
    pub fn is_recording(&self) -> bool {
        self.0.as_ref().is_some_and(|block| block.is_recording())
    }

    /// What kind of span it is; `None` where nothing is recorded.
    pub fn kind(&self) -> Option<Kind> {
        Some(self.family()?.kind())
    }

    /// The family it has now; `None` where nothing is recorded.
    pub fn family(&self) -> Option<&'static Family> {
        let block = self.0.as_ref().filter(|block| block.is_recording())?;
        FAMILIES.get(block.traits.family())
    }

    /// The context of this span: what children need. Below a suppressed call,
    /// where spans are no-ops, it is the context of the suppression.
    pub fn context(&self) -> Context {
        match &self.0 {
            Some(block) => block.context.clone(),
            None => Some(Context::current())
                .filter(Context::is_suppressed)
                .unwrap_or_default(),
        }
    }

    /// The value of the `Server-Timing` response header that lets a browser
    /// find this trace; `None` where nothing is recorded.
    #[inline]
    pub fn server_timing(&self) -> Option<ServerTiming> {
        self.0.as_ref()?.context.server_timing()
    }

    /// Runs `f` inside this span: exits and spans that it starts are children
    /// of this one. A panic marks the span as erroneous and goes on.
    ///
    /// A future that `f` returns runs where it is awaited, outside of this span:
    /// `span.enter(|| async { … }).await` records nothing of it. That is what
    /// [`in_span`](crate::FutureExt::in_span) is for.
    ///
    /// ```
    /// use instana::FutureExt;
    ///
    /// # async fn f() {
    /// async { /* … */ }.in_span(instana::span("price")).await;
    /// # }
    /// ```
    pub fn enter<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let entered = Entered::new(self);
        let result = f();
        entered.leave();
        result
    }

    /// Records how the polls of this span's future went, in tags of the span
    /// (milliseconds, all but the first): `poll_count`, `poll_running_ms` (all
    /// polls together), `poll_longest_ms`, `poll_waiting_ms` (it was woken, and not
    /// polled yet) and `poll_idle_ms` (all else). A span that ran for most of its time
    /// was busy or blocked its thread; one that waited was kept by others from a thread;
    /// one that idled was kept by what it awaits.
    ///
    /// To be called before the first poll. `INSTANA_POLL_TIMING` switches it on
    /// for all entries.
    pub fn time_polls(&mut self) {
        if let Some((_, block)) = self.recording() {
            block.time_polls();
        }
    }

    /// A way to this span for other threads and tasks, `Clone` and `Send`. What
    /// comes by it after the span has ended is dropped.
    pub fn handle(&mut self) -> Handle {
        match self.recording() {
            Some((family, block)) => Handle::to(block, family),
            None => Handle::none(),
        }
    }

    /// Ends the span now.
    #[inline]
    pub fn end(self) {}

    fn recording(&mut self) -> Option<(u16, &mut Block)> {
        let block = self.0.as_mut().filter(|block| block.is_recording())?;
        Some((block.traits.family(), block))
    }
}

impl Recording for Span {
    #[inline]
    fn with_fields(&mut self, section: &'static Section, set: impl FnOnce(Fields<'_>)) {
        if let Some(block) = &mut self.0 {
            if block.is_recording() {
                set(Fields::new(&mut block.attributes, section));
            }
        }
    }
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        if let Some(block) = self.0.take() {
            finish(block);
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span")
            .field("context", &self.0.as_ref().map(|block| &block.context))
            .field("recording", &self.is_recording())
            .finish()
    }
}

/// Records what the block holds and returns it to the pool. Not inlined: the
/// drop of a span that is a no-op is a comparison.
#[inline(never)]
fn finish(mut block: Box<Block>) {
    if block.rare.is_some() || block.context.extra.is_some() {
        return finish_unusual(block);
    }
    local::with(move |local| {
        if block.is_recording() {
            if block.is_ours() {
                local.record(&block.head(clock::ticks()), &block.attributes);
            }
            block.clear();
        }
        local.return_block(block);
    });
}

/// A span with an inbox, timed polls, a foreign `tracestate` or a tracer of its own.
#[cold]
fn finish_unusual(mut block: Box<Block>) {
    // In a forked child its lock may be held for ever.
    let rare = block.rare.take().filter(|_| block.is_ours());
    if let Some(rare) = rare {
        if let Some(inbox) = rare.inbox {
            let errors = inbox.close(&mut block.attributes);
            block.traits = block.traits.with_errors(errors);
        }
        if let Some(polls) = rare.polls {
            polls.finish(&mut block);
        }
    }
    if let Some(scope) = block.context.scope().filter(|_| block.is_ours()) {
        scope.record(&block.head(clock::ticks()), &block.attributes);
        block.recorded_by = 0;
        block.clear();
    }
    block.context.extra = None;
    finish(block);
}

/// Calls `f` with the span that the running code is in, so that it can be
/// tagged. `None`, and `f` is not called, where there is none that is recorded:
/// outside of spans, in a spawned task (which carries the context, not the
/// span; see [`Span::handle`]), and where tracing is suppressed.
///
/// Inside `f` there is no current span.
///
/// ```
/// instana::current(|span| span.tag("items", 3));
/// ```
pub fn current<R>(f: impl FnOnce(&mut Span) -> R) -> Option<R> {
    let mut borrowed = Borrowed::take()?;
    let recording = borrowed.0.is_recording();
    recording.then(|| f(&mut borrowed.0))
}

/// The slot's content while `current` has it.
struct Borrowed(Span);

impl Borrowed {
    fn take() -> Option<Self> {
        local::exchange(None).map(|block| Self(Span(Some(block))))
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.0.0 = local::exchange(self.0.0.take());
    }
}

/// Starts an intermediate SDK span: a piece of work inside a traced call.
/// Without an entry above it, and below an exit, it is a no-op.
///
/// ```
/// let total = instana::span("price").enter(|| 3 * 14);
/// assert_eq!(total, 42);
/// ```
#[track_caller]
pub fn span(name: &str) -> Span {
    Span::sdk(&sdk::INTERMEDIATE, name)
}

/// Starts an SDK entry: the root of a new trace, for work that no
/// instrumented server or consumer brought in. Inside another entry, and where
/// tracing is suppressed, it is a no-op.
///
/// ```
/// instana::entry_span("nightly report").enter(|| { /* … */ });
/// ```
#[track_caller]
pub fn entry_span(name: &str) -> Span {
    Span::sdk(&sdk::ENTRY, name)
}

/// Starts an SDK exit: a call to something that has no instrumentation. Without
/// an entry above it (see [`Builder::allow_root_exits`](crate::Builder::allow_root_exits))
/// and below another exit, it is a no-op. What is called below it is sent by it: the
/// callee continues the trace from the outermost exit.
///
/// ```
/// instana::exit_span("legacy billing").enter(|| { /* the call */ });
/// ```
#[track_caller]
pub fn exit_span(name: &str) -> Span {
    Span::sdk(&sdk::EXIT, name)
}
