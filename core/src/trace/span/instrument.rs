//! What instrumentation does with its spans.

use std::task::Context as TaskContext;
use std::time::Duration;

use crate::base::clock;
use crate::config::Switches;
use crate::policy::rules::{Subject, Verdict};
use crate::record::flags::Flags;
use crate::record::registry::FAMILIES;
use crate::record::{Family, Kind};
use crate::trace::context::{Tracer, local};
use crate::trace::propagation::{self, Inject};
use crate::trace::span::{Entered, Span};

/// # For authors of instrumentation: decide, inject, poll, end
///
/// Applications do not need these: see the [module](mod@crate::span) for an example.
impl Span {
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
        let verdict = tracer.with_rules(|rules| rules.at_start(&subject));
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

    /// The tracer this span goes to, which has the settings for its attributes.
    pub fn tracer(&self) -> Tracer {
        match self.0.as_ref().and_then(|block| block.context.scope()) {
            None => Tracer::global(),
            Some(scope) => Tracer::scoped(scope.clone()),
        }
    }

    /// Makes it a span of another family, keeping ids, times and attributes:
    /// a GraphQL operation takes over the HTTP entry it came in by. False, and
    /// nothing is changed, where no span is recorded and where rules switch the
    /// other family off.
    pub fn rename(&mut self, family: &'static Family) -> bool {
        let is_off = self.is_recording()
            && self.tracer().switches().has(Switches::RULES)
            && self.tracer().disables(family);
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

    /// Moves the start back by `ago`, for calls that are reported only when they have
    /// finished.
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
}
