//! How the polls of a span's future went: how long it ran, how long it waited for a
//! thread when it could have run, and how long it idled. While it runs, it is counted
//! what its thread allocates, where that is metered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use crate::base::alloc;
use crate::base::clock;
use crate::base::clock::Timeline;
use crate::record::Family;
use crate::record::fields::{Attribute, Fields};
use crate::record::registry::FAMILIES;
use crate::record::sdk;
use crate::record::tag::TagValue;
use crate::trace::context::block::Block;
use crate::trace::context::slow_polls;
use crate::trace::context::wakes::Wakes;

/// The longest poll and the longest wait of all spans that have ended since they were
/// last asked for, in microseconds and one more: 0 where there were none.
static LONGEST: AtomicU64 = AtomicU64::new(0);
static LONGEST_WAIT: AtomicU64 = AtomicU64::new(0);

/// In microseconds: the longest poll, and the longest wait for a thread, since the
/// last call; `None` where no polls were timed.
pub(crate) fn take_longest() -> Option<(u64, u64)> {
    let longest = LONGEST.swap(0, Ordering::Relaxed).checked_sub(1)?;
    let wait = LONGEST_WAIT.swap(0, Ordering::Relaxed).saturating_sub(1);
    Some((longest, wait))
}

/// In ticks, but for what is counted.
#[derive(Debug, Default)]
pub(crate) struct Polls {
    count: u64,
    /// Below 0 where the clocks of two processors differ by more.
    longest: i64,
    running: i64,
    waits: Waits,
    /// When the poll began that is being made, and when the last one ended.
    began: u64,
    ended: u64,
    /// Bytes that were allocated in polls, and what the thread had allocated when the
    /// poll began.
    allocated: u64,
    allocated_before: u64,
    is_metered: bool,
    /// Whether their times are wanted, not only what was allocated.
    are_described: bool,
    /// Where times are wanted, and nothing else.
    wakes: Option<Wakes>,
    /// Where both are.
    metered_wakes: Option<Wakes>,
}

/// Times between wakes and polls.
#[derive(Debug, Default)]
struct Waits {
    sum: u64,
    longest: u64,
}

impl Waits {
    /// `task` polls, for the first time since `ended`; what the future gets for it.
    #[inline]
    fn poll<'a>(
        &mut self,
        wakes: &'a mut Wakes,
        task: &Waker,
        ended: u64,
        began: u64,
    ) -> &'a Waker {
        let woken = wakes.take(task);
        if woken != 0 {
            // One that was woken while it ran could not run twice.
            let waited = began.saturating_sub(woken.max(ended));
            self.sum += waited;
            self.longest = self.longest.max(waited);
        }
        wakes.waker()
    }
}

impl Polls {
    pub(crate) fn describe(&mut self) {
        self.are_described = true;
    }

    /// `task` polls; what the future gets for it.
    #[inline]
    pub(crate) fn begin<'a>(&'a mut self, task: &'a Waker) -> &'a Waker {
        self.began = clock::ticks();
        if self.wakes.is_none() {
            return self.begin_otherwise(task);
        }
        match &mut self.wakes {
            Some(wakes) => self.waits.poll(wakes, task, self.ended, self.began),
            None => task,
        }
    }

    /// The first time, and where it is counted what is allocated.
    #[cold]
    #[inline(never)]
    fn begin_otherwise<'a>(&'a mut self, task: &'a Waker) -> &'a Waker {
        if self.count == 0 {
            self.is_metered = alloc::are_threads_metered();
            // Who only wants to know what is allocated needs no waker.
            let wakes = self.are_described.then(|| Wakes::new(task));
            if self.is_metered {
                self.metered_wakes = wakes;
            } else {
                self.wakes = wakes;
            }
        }
        if self.is_metered {
            self.allocated_before();
        }
        match self.wakes.as_mut().or(self.metered_wakes.as_mut()) {
            Some(wakes) => self.waits.poll(wakes, task, self.ended, self.began),
            None => task,
        }
    }

    fn allocated_before(&mut self) {
        match alloc::allocated_by_thread() {
            Some(allocated) => self.allocated_before = allocated,
            // A part of it says nothing.
            None => self.is_metered = false,
        }
    }

    /// It has been made. One that panicked does not count.
    #[inline]
    pub(crate) fn end(&mut self) {
        let now = clock::ticks();
        let took = now.wrapping_sub(self.began) as i64;
        self.count += 1;
        self.running += took;
        if took > self.longest {
            self.lengthen(took);
        }
        self.ended = now;
        if self.is_metered {
            self.allocated_since();
        }
    }

    /// Most polls are not the longest so far: two instructions less for them.
    #[cold]
    #[inline(never)]
    fn lengthen(&mut self, longest: i64) {
        self.longest = longest;
    }

    #[cold]
    #[inline(never)]
    fn allocated_since(&mut self) {
        let allocated = alloc::allocated_by_thread().unwrap_or_default();
        self.allocated += allocated.saturating_sub(self.allocated_before);
    }

    /// Describes the polls of a span that ends, and notes one that was too long.
    pub(crate) fn finish(&self, block: &mut Block) {
        if self.count == 0 {
            return;
        }
        if self.is_metered {
            let mut fields = Fields::new(&mut block.attributes, &sdk::SECTION);
            fields.tag("allocated_bytes", TagValue::Unsigned(self.allocated));
        }
        if self.are_described {
            self.finish_described(block);
        }
    }

    fn finish_described(&self, block: &mut Block) {
        let open = clock::ticks().saturating_sub(block.start);
        let timeline = Timeline::now();
        let running = self.running.max(0) as u64;
        let longest = timeline.duration(self.longest.max(0) as u64);
        let longest_wait = timeline.duration(self.waits.longest);
        let idle = open.saturating_sub(running + self.waits.sum);
        let mut fields = Fields::new(&mut block.attributes, &sdk::SECTION);
        fields.tag("poll_count", TagValue::Unsigned(self.count));
        for (name, time) in [
            ("poll_running_ms", timeline.duration(running)),
            ("poll_longest_ms", longest),
            ("poll_waiting_ms", timeline.duration(self.waits.sum)),
            ("poll_idle_ms", timeline.duration(idle)),
        ] {
            let millis = time.as_micros() as f64 / 1_000.0;
            fields.tag(name, TagValue::Float(millis));
        }
        if block.context.scope().is_none() {
            for (all, this) in [(&LONGEST, longest), (&LONGEST_WAIT, longest_wait)] {
                let micros = u64::try_from(this.as_micros()).unwrap_or(u64::MAX - 1);
                all.fetch_max(micros.saturating_add(1), Ordering::Relaxed);
            }
        }
        if longest >= block.settings().slow_poll() {
            if let Some(family) = FAMILIES.get(block.traits.family()) {
                slow_polls::notice(family.name(), label(family, &block.attributes), longest);
            }
        }
    }
}

/// What is the same for all calls of a kind: the name of an SDK span, the
/// template of a route. Empty where the family has no such field.
fn label<'a>(family: &'static Family, attributes: &'a [u8]) -> &'a str {
    let section = family.section();
    let is_label = |key| matches!(key, "name" | "path_tpl");
    let Some(field) = section
        .fields()
        .iter()
        .position(|field| is_label(field.key))
    else {
        return "";
    };
    let (mut label, mut rest) = ("", attributes);
    while let Some((attribute, tail)) = Attribute::split(rest) {
        if attribute.section == section.index() && usize::from(attribute.field) == field {
            label = std::str::from_utf8(attribute.value).unwrap_or_default();
        }
        rest = tail;
    }
    label
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context as TaskContext, Poll, Wake, Waker};
    use std::time::{Duration, Instant};

    use crate::FutureExt;
    use crate::testing::{RecordedSpan, Recorder};
    use crate::trace::span::Span;

    const MS: Duration = Duration::from_millis(1);

    fn tag(span: &RecordedSpan, name: &str) -> Option<f64> {
        span.float(&format!("data.sdk.custom.tags.{name}"))
    }

    /// Keeps the thread busy.
    fn work(time: Duration) {
        let begin = Instant::now();
        while begin.elapsed() < time {}
    }

    /// Polls `times`; each poll takes `busy`, and `idle` lies between two.
    fn drive(span: Span, times: u32, busy: Duration, idle: Duration) {
        let mut left = times;
        let future = poll_fn(|_| {
            work(busy);
            left -= 1;
            if left == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        let mut future = pin!(future.in_span(span));
        let mut context = TaskContext::from_waker(Waker::noop());
        while future.as_mut().poll(&mut context).is_pending() {
            work(idle);
        }
    }

    #[test]
    fn running_and_idling_are_told_apart() {
        let recorder = Recorder::new();
        recorder.enter(|| {
            let mut busy = crate::entry_span("busy");
            busy.time_polls();
            drive(busy, 3, 4 * MS, MS);
            let mut idle = crate::entry_span("idle");
            idle.time_polls();
            drive(idle, 3, MS, 4 * MS);
        });
        let spans = recorder.spans();
        for (span, [running, longest, idle]) in spans.iter().zip([[12., 4., 2.], [3., 1., 8.]]) {
            let of = |name| tag(span, name).unwrap();
            assert_eq!(of("poll_count"), 3.0);
            assert!(of("poll_running_ms") >= running, "{}", span.json());
            assert!(of("poll_longest_ms") >= longest, "{}", span.json());
            assert!(of("poll_longest_ms") <= of("poll_running_ms"));
            assert!(of("poll_idle_ms") >= idle, "{}", span.json());
            let sum = of("poll_running_ms") + of("poll_idle_ms");
            assert!(sum <= span.duration() as f64 + 1.0, "{}", span.json());
        }
    }

    /// Two polls by different tasks: woken while it runs, then while it does not.
    #[test]
    fn a_future_that_was_woken_waits_until_it_is_polled() {
        struct Task;
        impl Wake for Task {
            fn wake(self: Arc<Self>) {}
        }
        let recorder = Recorder::new();
        recorder.enter(|| {
            let mut span = crate::entry_span("woken");
            span.time_polls();
            let mut wakers = Vec::new();
            let mut polls = 0;
            let future = poll_fn(|context| {
                polls += 1;
                wakers.push(context.waker().clone());
                match polls {
                    1 => context.waker().wake_by_ref(),
                    3 => return Poll::Ready(()),
                    _ => {}
                }
                work(4 * MS);
                Poll::Pending
            });
            {
                let mut future = pin!(future.in_span(span));
                let mut context = TaskContext::from_waker(Waker::noop());
                assert!(future.as_mut().poll(&mut context).is_pending());
                // It waits.
                work(4 * MS);
                let other = Waker::from(Arc::new(Task));
                let mut context = TaskContext::from_waker(&other);
                assert!(future.as_mut().poll(&mut context).is_pending());
                // It idles.
                work(8 * MS);
                assert!(future.as_mut().poll(&mut context).is_ready());
            }
            assert!(wakers[0].will_wake(&wakers[2]), "it need not be kept anew");
        });
        let span = &recorder.spans()[0];
        let of = |name| tag(span, name).unwrap();
        assert_eq!(of("poll_count"), 3.0);
        assert!(of("poll_running_ms") >= 8.0, "{}", span.json());
        assert!(of("poll_waiting_ms") >= 4.0, "{}", span.json());
        assert!(of("poll_idle_ms") >= 8.0, "{}", span.json());
        let sum = of("poll_running_ms") + of("poll_waiting_ms") + of("poll_idle_ms");
        assert!(sum <= span.duration() as f64 + 1.0, "{}", span.json());
    }

    #[test]
    fn the_setting_is_for_entries_and_the_method_for_all() {
        let recorder = Recorder::builder().poll_timing(true).build();
        recorder.enter(|| {
            let mut entry = crate::entry_span("entry");
            let exits = || {
                drive(crate::exit_span("plain"), 2, MS, MS);
                let mut exit = crate::exit_span("timed");
                exit.time_polls();
                drive(exit, 2, MS, MS);
            };
            entry.enter(exits);
            drive(entry, 2, MS, MS);
        });
        let counts = recorder.spans().into_iter().map(|span| {
            let name = span.text("data.sdk.name").unwrap();
            (name, tag(&span, "poll_count"))
        });
        let expected = [("plain", None), ("timed", Some(2.0)), ("entry", Some(2.0))];
        let expected = expected.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(counts.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_no_poll_is_not_counted() {
        let recorder = Recorder::builder().poll_timing(true).build();
        recorder.enter(|| {
            crate::entry_span("closure").enter(|| work(MS));
            let mut span = crate::entry_span("both");
            span.enter(|| work(MS));
            let mut context = TaskContext::from_waker(Waker::noop());
            span.enter_poll(&mut context, |_| work(MS));
        });
        let spans = recorder.spans();
        assert_eq!(tag(&spans[0], "poll_count"), None);
        assert_eq!(tag(&spans[1], "poll_count"), Some(1.0));
        assert!(tag(&spans[1], "poll_idle_ms").unwrap() >= 1.0);
    }

    #[test]
    fn a_future_that_is_given_up_or_panics_has_its_polls() {
        let recorder = Recorder::builder().poll_timing(true).build();
        recorder.enter(|| {
            let mut context = TaskContext::from_waker(Waker::noop());
            {
                let mut given_up =
                    pin!(std::future::pending::<()>().in_span(crate::entry_span("1")));
                assert!(given_up.as_mut().poll(&mut context).is_pending());
            }
            let mut polls = 0;
            let panics = poll_fn(|_| {
                polls += 1;
                assert!(polls < 3, "on purpose");
                Poll::<()>::Pending
            });
            let mut panics = Box::pin(panics.in_span(crate::entry_span("2")));
            let run = std::panic::AssertUnwindSafe(|| {
                while panics.as_mut().poll(&mut context).is_pending() {}
            });
            assert!(std::panic::catch_unwind(run).is_err());
            drop(panics);
        });
        let counts: Vec<_> = recorder
            .spans()
            .iter()
            .map(|span| tag(span, "poll_count"))
            .collect();
        assert_eq!(
            counts,
            [Some(1.0), Some(2.0)],
            "one that panics does not count"
        );
    }

    #[test]
    fn a_handle_and_timed_polls_go_together() {
        let recorder = Recorder::builder().poll_timing(true).build();
        recorder.enter(|| {
            let mut span = crate::entry_span("job");
            span.handle().tag("from", "elsewhere");
            span.time_polls();
            drive(span, 1, MS, MS);
            // The block of that span is used again.
            crate::entry_span("next").end();
        });
        let spans = recorder.spans();
        assert_eq!(tag(&spans[0], "poll_count"), Some(1.0));
        let from = spans[0].text("data.sdk.custom.tags.from");
        assert_eq!(from.as_deref(), Some("elsewhere"));
        assert_eq!(tag(&spans[1], "poll_count"), None);
    }

    #[test]
    fn a_slow_poll_is_told_of_by_what_was_called() {
        let recorder = Recorder::builder()
            .poll_timing(true)
            .slow_poll(5 * MS)
            .build();
        recorder.enter(|| {
            drive(crate::entry_span("polls: slow"), 2, 6 * MS, MS);
            drive(crate::entry_span("polls: quick"), 2, MS, MS);
        });
        assert!(crate::trace::context::slow_polls::knows(
            "sdk",
            "polls: slow"
        ));
        // As quick as the machine lets it be.
        let quick = &recorder.spans()[1];
        let is_slow = tag(quick, "poll_longest_ms").unwrap() >= 5.0;
        assert_eq!(
            crate::trace::context::slow_polls::knows("sdk", "polls: quick"),
            is_slow
        );
    }

    #[test]
    fn suppressed_spans_are_not_timed() {
        let mut none = Span::none();
        none.time_polls();
        assert!(!none.is_timed());
        drive(none, 2, Duration::ZERO, Duration::ZERO);
    }
}
