//! Spans: started, described while they are open, and recorded when they end.

mod attempt;
pub(crate) mod block;
mod causes;
mod describe;
mod entered;
mod failure;
pub(crate) mod family;
pub(crate) mod fields;
pub(crate) mod handle;
pub mod http;
pub(crate) mod log;
#[cfg(tokio_unstable)]
mod make_current;
pub(crate) mod polls;
mod preset;
mod quoted;
pub(crate) mod sdk;
pub mod sql;
mod start;
pub(crate) mod tag;
#[cfg(test)]
mod tests;
mod unrecorded;
mod wakes;

use std::fmt;
use std::task::Context as TaskContext;
use std::time::Duration;

use self::block::Block;
use crate::clock;
use crate::context::{Context, Flags};
use crate::local;
use crate::propagation::{self, Inject, ServerTiming};
use crate::record::FAMILIES;
use crate::rules::{self, Subject, Verdict};
use crate::settings::Switches;
use crate::tracer::Tracer;

pub use self::attempt::Attempt;
pub(crate) use self::entered::Entered;
pub use self::failure::Failure;
pub use self::family::{Family, Field, Kind, Section, Shape};
pub use self::fields::{Fields, Recording};
pub use self::handle::Handle;
pub use self::log::LogEntry;
pub use self::preset::Preset;
pub use self::quoted::without_values;
pub use self::tag::{AsTag, TagValue};

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

impl Span {
    /// A span of nothing: every call on it is a no-op.
    pub const fn none() -> Self {
        Self(None)
    }

    /// A span that records nothing and carries `context` to where it is entered:
    /// for what is polled or called more than once, as
    /// [`in_context`](crate::FutureExt::in_context) is for futures.
    pub fn carrier(context: Context) -> Self {
        if context.is_empty() {
            return Self(None);
        }
        let flags = context.flags.with(Flags::CARRIED);
        Self(Block::carrier(Context { flags, ..context }))
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
    /// where spans are no-ops, it is that of the suppression.
    pub fn context(&self) -> Context {
        match &self.0 {
            Some(block) => block.context.clone(),
            None => Some(Context::current())
                .filter(Context::is_suppressed)
                .unwrap_or_default(),
        }
    }

    /// The tracer this span goes to, which has the settings for its attributes.
    pub fn tracer(&self) -> Tracer {
        match self.0.as_ref().and_then(|block| block.context.scope()) {
            None => Tracer::global(),
            Some(scope) => Tracer::scoped(scope.clone()),
        }
    }

    /// Writes the headers that continue this span's trace in the callee, or, below
    /// a suppressed call, those that tell it not to trace. Where there is
    /// neither, nothing is written and nothing removed.
    #[inline]
    pub fn inject(&self, carrier: &mut impl Inject) {
        match &self.0 {
            Some(block) => propagation::inject(&block.context, carrier),
            None => {
                local::with_current(|context| {
                    if context.is_suppressed() {
                        propagation::inject(context, carrier);
                    }
                });
            }
        }
    }

    /// The value of the `Server-Timing` response header that lets a browser
    /// find this trace; `None` where nothing is recorded.
    #[inline]
    pub fn server_timing(&self) -> Option<ServerTiming> {
        self.0.as_ref()?.context.server_timing()
    }

    /// Applies the rules for [ignored endpoints](crate::Builder::ignored_endpoints)
    /// and [filters](crate::Builder::filters) to what is recorded so far. For
    /// instrumentation: to be called once, when the attributes that name the call
    /// (method, path, host, command, topic) are recorded, and before the span is
    /// entered or injected. Costs one branch where there are no rules.
    #[inline]
    pub fn decide(&mut self) {
        if self.is_recording() && self.tracer().switches().has(Switches::RULES) {
            self.decide_by_rules();
        }
    }

    #[cold]
    fn decide_by_rules(&mut self) {
        let tracer = self.tracer();
        let Some(block) = &mut self.0 else { return };
        let Some(family) = FAMILIES.get(block.traits.family()) else {
            return;
        };
        let subject = Subject {
            family,
            attributes: &block.attributes,
        };
        let verdict = rules::with(&tracer, |rules| rules.at_start(&subject));
        let Some(Verdict::Ignore { suppress }) = verdict else {
            return;
        };
        block.recorded_by = 0;
        block.clear();
        if suppress {
            let flags = block.context.flags;
            block.context.flags = flags.without(Flags::ACTIVE).with(Flags::SUPPRESSED);
            block.context.span = 0;
        } else if family.kind() == Kind::Exit {
            block.context.span = block.parent;
        }
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

    /// As [`enter`](Self::enter), for one poll of a future, a stream or a body
    /// that an instrumentation wraps, which `f` polls with the context that it gets:
    /// where polls are [timed](Self::time_polls), this counts and notes who wakes it.
    #[inline]
    pub fn enter_poll<R>(
        &mut self,
        cx: &mut TaskContext<'_>,
        f: impl FnOnce(&mut TaskContext<'_>) -> R,
    ) -> R {
        if self.is_timed() {
            return self.enter_timed_poll(cx, f);
        }
        let entered = Entered::new(self);
        let result = f(cx);
        entered.leave();
        result
    }

    #[cold]
    #[inline(never)]
    fn enter_timed_poll<R>(
        &mut self,
        cx: &mut TaskContext<'_>,
        f: impl FnOnce(&mut TaskContext<'_>) -> R,
    ) -> R {
        let task = cx.waker();
        let waker = self.polls().map(|polls| polls.begin(task).clone());
        let waker = waker.as_ref().unwrap_or(task);
        let entered = Entered::new(self);
        let result = f(&mut TaskContext::from_waker(waker));
        entered.leave();
        if let Some(polls) = self.polls() {
            polls.end();
        }
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

    /// Makes it a span of another family, keeping ids, times and attributes:
    /// a GraphQL operation takes over the HTTP entry it came in by. False, and
    /// nothing is changed, where no span is recorded and where rules switch the
    /// other family off.
    pub fn rename(&mut self, family: &'static Family) -> bool {
        let is_off = self.is_recording()
            && self.tracer().switches().has(Switches::RULES)
            && rules::is_disabled(&self.tracer(), family);
        let Some((_, block)) = self.recording().filter(|_| !is_off) else {
            return false;
        };
        block.traits = block.traits.with_family(family.index());
        if let Some(inbox) = block.rare.as_ref().and_then(|rare| rare.inbox.as_ref()) {
            inbox.rename(family.index());
        }
        true
    }

    /// Starts the clock anew. An exit is made when the call is, and begins when
    /// its future is first polled.
    pub fn restart(&mut self) {
        if let Some((_, block)) = self.recording() {
            block.start = clock::ticks();
        }
    }

    /// Moves the beginning back by `ago`: for a call that is told of when it is over.
    pub fn backdate(&mut self, ago: Duration) {
        if let Some((_, block)) = self.recording() {
            block.start = block.start.saturating_sub(clock::ticks_of(ago));
        }
    }

    /// Milliseconds since the span began; 0 where nothing is recorded.
    pub fn elapsed_millis(&self) -> u64 {
        let block = self.0.as_ref().filter(|block| block.is_recording());
        block.map_or(0, |block| clock::millis_since(block.start))
    }

    /// Marks it as an error that the call was given up: "cancelled after N ms". Where the
    /// settings say that this is none of an exit, it has the tag `cancelled_after_ms`.
    #[cold]
    pub fn cancel(&mut self) {
        if !self.is_recording() {
            return;
        }
        let millis = self.elapsed_millis();
        let is_fine = self.kind() == Some(Kind::Exit)
            && self.tracer().switches().has(Switches::CANCELLED_IS_FINE);
        if is_fine {
            self.tag("cancelled_after_ms", millis);
        } else {
            self.error(&format!("cancelled after {millis} ms"));
        }
    }

    /// Ends the span without recording it: nothing was called after all. For
    /// instrumentation, and only where no child and no callee knows of the span.
    pub fn discard(mut self) {
        if let Some((_, block)) = self.recording() {
            block.recorded_by = 0;
            block.clear();
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
