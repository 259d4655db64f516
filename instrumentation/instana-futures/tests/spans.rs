//! Streams and the spans they run in.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll, Waker};

use futures_core::{FusedStream, Stream};
use futures_util::StreamExt as _;
use instana::propagation::Incoming;
use instana::span::Kind;
use instana::span::http::ENTRY;
use instana::testing::Recorder;
use instana::{Context, Span};
use instana_futures::StreamExt as _;

/// Says in which span it was polled and dropped.
struct Probe {
    steps: VecDeque<Poll<()>>,
    dropped: std::sync::mpsc::Sender<Option<String>>,
}

impl Stream for Probe {
    type Item = Option<String>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(())) => {
                instana::exit_span("below").end();
                Poll::Ready(Some(Context::current().span_id()))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.steps.len(), None)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.dropped.send(Context::current().span_id());
    }
}

fn probe(steps: &[Poll<()>]) -> (Probe, std::sync::mpsc::Receiver<Option<String>>) {
    let (dropped, receiver) = std::sync::mpsc::channel();
    let steps = steps.iter().copied().collect();
    (Probe { steps, dropped }, receiver)
}

const ITEM: Poll<()> = Poll::Ready(());

fn poll<S: Stream>(stream: Pin<&mut S>) -> Poll<Option<S::Item>> {
    stream.poll_next(&mut TaskContext::from_waker(Waker::noop()))
}

#[test]
fn a_span_is_current_during_polls_and_ends_with_the_stream() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let entry = instana::entry_span("job");
        let id = entry.context().span_id();
        let (probe, dropped) = probe(&[ITEM, Poll::Pending, ITEM]);
        let mut stream = pin!(probe.in_span(entry));
        assert_eq!(stream.size_hint(), (3, None));
        assert_eq!(poll(stream.as_mut()), Poll::Ready(Some(id.clone())));
        assert_eq!(Context::current().span_id(), None);
        assert_eq!(poll(stream.as_mut()), Poll::Pending);
        assert_eq!(poll(stream.as_mut()), Poll::Ready(Some(id.clone())));
        assert!(dropped.try_recv().is_err() && !stream.is_terminated());
        assert_eq!(poll(stream.as_mut()), Poll::Ready(None));
        assert_eq!(dropped.try_recv(), Ok(id));
        assert_eq!(recorder.spans().len(), 3, "it has ended");
        assert_eq!(poll(stream.as_mut()), Poll::Ready(None), "fused");
        assert!(stream.is_terminated());
        assert_eq!(stream.size_hint(), (0, Some(0)));
    });
    let job = recorder.span("sdk", Kind::Entry);
    assert_eq!(job.errors(), 0);
    for span in recorder
        .spans()
        .iter()
        .filter(|span| span.kind() == Kind::Exit)
    {
        assert_eq!(span.parent(), job.id());
    }
}

#[test]
fn interleaved_streams_keep_their_own_spans() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let (a, b) = (instana::entry_span("a"), instana::entry_span("b"));
        let ids = [a.context().span_id(), b.context().span_id()];
        let (a_probe, _a) = probe(&[ITEM, ITEM]);
        let (b_probe, _b) = probe(&[ITEM, ITEM]);
        let zipped = a_probe.in_span(a).zip(b_probe.in_span(b));
        let mut zipped = pin!(zipped);
        for _ in 0..2 {
            let Poll::Ready(Some((a, b))) = poll(zipped.as_mut()) else {
                panic!("both have an item");
            };
            assert_eq!([a, b], ids);
        }
    });
}

#[test]
fn a_dropped_exit_says_so_and_drops_the_stream_inside() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        instana::entry_span("job").enter(|| {
            let exit = instana::exit_span("rows");
            let id = exit.context().span_id();
            let (probe, dropped) = probe(&[Poll::Pending]);
            {
                let mut stream = pin!(probe.in_span(exit));
                assert_eq!(poll(stream.as_mut()), Poll::Pending);
            }
            assert_eq!(dropped.try_recv(), Ok(id));
        });
    });
    let exit = recorder.span("sdk", Kind::Exit);
    let error = exit.text("data.sdk.custom.tags.error").unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
    assert_eq!(exit.errors(), 1);
}

#[test]
fn a_panic_is_no_cancellation() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        instana::entry_span("job").enter(|| {
            let panics = futures_util::stream::poll_fn(|_| -> Poll<Option<()>> {
                std::panic::resume_unwind(Box::new("on purpose"))
            });
            let mut stream = Box::pin(panics.in_span(instana::exit_span("rows")));
            let result =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll(stream.as_mut())));
            assert!(result.is_err());
        });
    });
    let exit = recorder.span("sdk", Kind::Exit);
    let error = exit.text("data.sdk.custom.tags.error");
    assert_eq!(error.as_deref(), Some("panicked"));
}

#[test]
fn a_stream_takes_the_context_along() {
    let recorder = Recorder::new();
    let (stream, id, context) = recorder.enter(|| {
        instana::entry_span("job").enter(|| {
            let context = Context::current();
            let (probe, dropped) = probe(&[ITEM]);
            (
                (probe.in_current_span(), dropped),
                context.span_id(),
                context,
            )
        })
    });
    let (stream, dropped) = stream;
    let mut stream = pin!(stream);
    assert_eq!(poll(stream.as_mut()), Poll::Ready(Some(id.clone())));
    assert_eq!(poll(stream.as_mut()), Poll::Ready(None));
    assert_eq!(dropped.try_recv(), Ok(id.clone()));
    let (probe, _dropped) = probe(&[ITEM]);
    let mut stream = pin!(probe.in_context(context));
    assert_eq!(poll(stream.as_mut()), Poll::Ready(Some(id.clone())));
    let job = recorder.span("sdk", Kind::Entry);
    let exits = recorder
        .spans()
        .into_iter()
        .filter(|span| span.kind() == Kind::Exit);
    assert!(exits.map(|exit| exit.parent()).eq([job.id(), job.id()]));
    assert_eq!(Some(job.id()), id);
}

#[test]
fn a_suppressed_stream_and_one_without_a_tracer_record_nothing() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let entry = Span::entry(&ENTRY, &Incoming::suppressed());
        let (probe, _dropped) = probe(&[ITEM]);
        let mut stream = pin!(probe.in_span(entry));
        assert_eq!(poll(stream.as_mut()), Poll::Ready(Some(None)));
        assert_eq!(poll(stream.as_mut()), Poll::Ready(None));
    });
    assert!(recorder.spans().is_empty());
    let (probe, _dropped) = probe(&[ITEM]);
    let mut stream = pin!(probe.in_span(instana::exit_span("rows")));
    assert_eq!(poll(stream.as_mut()), Poll::Ready(Some(None)));
}

/// Whether it is polled where tracing is suppressed.
struct Looks;

impl Stream for Looks {
    type Item = bool;

    fn poll_next(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<bool>> {
        Poll::Ready(Some(Context::current().is_suppressed()))
    }
}

/// Polled outside of the suppression it was made in.
#[test]
fn a_suppression_goes_with_the_stream() {
    let recorder = Recorder::new();
    let (exit, plain) = recorder.enter(|| {
        let exit = instana::suppress(|| Looks.in_span(instana::exit_span("rows")));
        (exit, Looks.suppress())
    });
    assert_eq!(poll(pin!(exit)), Poll::Ready(Some(true)));
    assert_eq!(poll(pin!(plain)), Poll::Ready(Some(true)));
    assert!(recorder.spans().is_empty());
}

/// As `FutureExt::in_context` does it for futures.
#[test]
fn an_empty_context_is_not_replaced_by_the_suppression() {
    let recorder = Recorder::new();
    let looks = recorder.enter(|| instana::suppress(|| Looks.in_context(Context::default())));
    assert_eq!(poll(pin!(looks)), Poll::Ready(Some(false)));
}
