//! For tests: spans as the agent would get them, without an agent.
//!
//! A [`Recorder`] is a tracer that keeps its spans in memory. It is scoped:
//! code that runs inside [`Recorder::enter`] or [`Recorder::scope`], and layers
//! that were given [`Recorder::tracer`], record into it; nothing is global, so
//! tests run in parallel.
//!
//! ```
//! use instana::testing::Recorder;
//!
//! let recorder = Recorder::new();
//! recorder.enter(|| {
//!     instana::entry_span("job").enter(|| {
//!         instana::current(|job| job.tag("items", 3));
//!         instana::exit_span("store").error("disk full");
//!     });
//! });
//!
//! recorder.assert_tree("
//!     entry job
//!       exit store !
//! ");
//! let job = recorder.labelled("job");
//! assert_eq!(job.integer("data.sdk.custom.tags.items"), Some(3));
//! ```
//!
//! An assertion that fails shows all spans as a tree, and which spans began
//! outside of every recorder: most of the time the spans of a task that was
//! spawned without the context.

mod builder;
mod recorded;
mod snapshot;
#[cfg(test)]
mod tests;
mod tree;
mod unrecorded;

use std::fmt::Write;
use std::future::Future;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use self::tree::Outline;
use crate::base::clock::Timeline;
use crate::pipeline::export::{BatchContext, Encoder};
use crate::pipeline::span_counts::SpanCounts;
use crate::record::Kind;
use crate::record::head::Record;
use crate::trace::context::Tracer;
use crate::trace::context::tracer::Scope;
use crate::trace::context::unscoped;
use crate::trace::context::{Context, Extra};
use crate::trace::future::{FutureExt, InSpan};
use crate::trace::span::Span;

pub use self::builder::RecorderBuilder;
pub use self::recorded::RecordedSpan;
pub use self::tree::Tree;
pub use self::unrecorded::Unrecorded;

/// Shared by all recorders, so that symbols are read only once.
static ENCODER: LazyLock<Mutex<Encoder>> = LazyLock::new(|| Mutex::new(Encoder::unhurried()));

/// The entry of [`Recorder::in_entry`] and [`Recorder::enter_entry`].
const JOB: &str = "job";

/// A tracer that keeps its spans in memory. None is dropped, and each is turned
/// into JSON by the code that writes to the agent.
#[derive(Clone, Debug)]
pub struct Recorder {
    scope: Arc<Scope>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// A recorder with the tracer's default settings.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A recorder with other settings.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::default()
    }

    /// The tracer, for `.tracer(…)` of layers and wrappers.
    pub fn tracer(&self) -> Tracer {
        Tracer::scoped(self.scope.clone())
    }

    /// Runs `f` in a context without a trace that belongs to this recorder.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        Span::carrier(self.context()).enter(f)
    }

    /// Runs `future` in a context without a trace that belongs to this recorder.
    pub fn scope<F: Future>(&self, future: F) -> InSpan<F> {
        future.in_context(self.context())
    }

    /// Runs `future` in the entry `job` of this recorder, which begins with the call and
    /// ends with the future. The future is polled nowhere else, so a call whose span
    /// begins before the first poll belongs in an `async` block.
    ///
    /// ```
    /// # use std::future::Future;
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
    /// #         Poll::Ready(output) => output,
    /// #         Poll::Pending => unreachable!("nothing to wait for"),
    /// #     }
    /// # }
    /// use instana::FutureExt;
    /// use instana::testing::Recorder;
    ///
    /// async fn store(item: &str) -> usize {
    ///     async { item.len() }.in_span(instana::exit_span("store")).await
    /// }
    ///
    /// let recorder = Recorder::new();
    /// assert_eq!(block_on(recorder.in_entry(store("tea"))), 3);
    /// recorder.assert_tree("
    ///     entry job
    ///       exit store
    /// ");
    /// ```
    #[track_caller]
    pub fn in_entry<F: Future>(&self, future: F) -> InSpan<F> {
        future.in_span(self.enter(|| crate::entry_span(JOB)))
    }

    /// Runs `f` in the entry `job` of this recorder, which ends with it.
    ///
    /// ```
    /// let recorder = instana::testing::Recorder::new();
    /// let stored = recorder.enter_entry(|| {
    ///     instana::exit_span("store").end();
    ///     "tea"
    /// });
    /// assert_eq!(stored, "tea");
    /// recorder.assert_tree("
    ///     entry job
    ///       exit store
    /// ");
    /// ```
    #[track_caller]
    pub fn enter_entry<R>(&self, f: impl FnOnce() -> R) -> R {
        self.enter(|| crate::entry_span(JOB)).enter(f)
    }

    /// The finished spans, in the order in which they ended.
    pub fn spans(&self) -> Vec<RecordedSpan> {
        let (records, settings) = (self.scope.records(), self.scope.settings().get());
        let Some(settings) = settings else {
            return Vec::new();
        };
        let config = &settings.config;
        let service = config.service.as_deref();
        let surroundings = BatchContext::new("", service, &config.secrets, Timeline::now())
            .with_stacks(&settings.stacks);
        let mut encoder = ENCODER.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rest, mut spans) = (records.as_slice(), Vec::new());
        while let Some((record, tail)) = Record::split(rest) {
            rest = tail;
            if settings
                .rules
                .as_ref()
                .is_some_and(|rules| rules.ignore(&record))
            {
                continue;
            }
            let mut json = Vec::new();
            let written = encoder.encode(&record, None, &surroundings, &mut json);
            assert_eq!(written, Ok(()), "a record that cannot be written");
            match serde_json::from_slice(&json) {
                Ok(value) => spans.push(RecordedSpan::new(value, record.head.start)),
                Err(error) => unreachable!("{error} in {}", String::from_utf8_lossy(&json)),
            }
        }
        spans
    }

    /// The only finished span with this name (`n`) and kind (`k`).
    ///
    /// # Panics
    /// Unless there is exactly one; the message shows what there is.
    #[track_caller]
    pub fn span(&self, name: &str, kind: Kind) -> RecordedSpan {
        self.only(&format!("with n={name} and k={}", kind.number()), |span| {
            span.name() == name && span.kind() == kind
        })
    }

    /// The only finished span with this [label](RecordedSpan::label): the name of
    /// an SDK span, `n` of others.
    ///
    /// # Panics
    /// Unless there is exactly one; the message shows what there is.
    #[track_caller]
    pub fn labelled(&self, label: &str) -> RecordedSpan {
        self.only(&format!("labelled {label:?}"), |span| span.label() == label)
    }

    /// The finished spans with this parent, in the order in which they ended.
    pub fn children(&self, parent: &RecordedSpan) -> Vec<RecordedSpan> {
        let mut spans = self.spans();
        spans.retain(|span| span.parent() == parent.id());
        spans
    }

    /// The finished exits, whatever is above them, in the order in which they ended.
    ///
    /// ```
    /// let recorder = instana::testing::Recorder::new();
    /// recorder.enter_entry(|| {
    ///     instana::exit_span("load").end();
    ///     instana::span("price").enter(|| instana::exit_span("store").end());
    /// });
    /// let labels: Vec<_> = recorder.exits().iter().map(|exit| exit.label()).collect();
    /// assert_eq!(labels, ["load", "store"]);
    /// ```
    pub fn exits(&self) -> Vec<RecordedSpan> {
        let mut spans = self.spans();
        spans.retain(|span| span.kind() == Kind::Exit);
        spans
    }

    /// The finished spans below their parents.
    pub fn tree(&self) -> Tree {
        Tree::new(self.spans())
    }

    /// Compares kinds, [labels](RecordedSpan::label), errors and parents of all
    /// finished spans with lines such as these. What is below a span is further
    /// to the right; `!` stands behind spans with an error. Siblings may be in any
    /// order.
    ///
    /// ```text
    /// entry g.http
    ///   intermediate price
    ///     exit postgres !
    ///   exit http
    /// ```
    ///
    /// # Panics
    /// Where they differ; the message shows both trees.
    #[track_caller]
    pub fn assert_tree(&self, expected: &str) {
        let tree = self.tree();
        let expected = Outline::parse(expected);
        let shown: String = expected.iter().map(Outline::to_string).collect();
        assert!(
            tree.outlines() == expected,
            "other spans than expected\n\nexpected:\n{shown}\n{}",
            self.report()
        );
    }

    /// # Panics
    /// Where a span has finished; the message shows it.
    #[track_caller]
    pub fn assert_empty(&self) {
        let is_empty = self.spans().is_empty();
        assert!(is_empty, "no spans were expected\n\n{}", self.report());
    }

    /// All finished spans with their attributes, as a text that is the same in
    /// each run: without times, with `<trace>` and `<span>` for their ids, with
    /// siblings in the order of their text. For snapshot tests.
    ///
    /// ```
    /// # let recorder = instana::testing::Recorder::new();
    /// recorder.enter(|| {
    ///     instana::entry_span("job").enter(|| instana::exit_span("store").tag("items", 3));
    /// });
    /// assert_eq!(recorder.snapshot(), "\
    /// - entry sdk (trace 1)
    ///     sdk.name = \"job\"
    ///     sdk.type = \"entry\"
    ///   - exit sdk
    ///       sdk.custom.tags.items = 3
    ///       sdk.name = \"store\"
    ///       sdk.type = \"exit\"
    /// ");
    /// ```
    pub fn snapshot(&self) -> String {
        snapshot::snapshot(self.tree())
    }

    /// Spans that this recorder did not get because of where they began, the first
    /// first: entries inside of an open entry, exits and pieces of work outside of
    /// any. What began in no context of a recorder, as in a task that was spawned
    /// without its own, is in the message of each assertion that fails.
    ///
    /// ```
    /// let recorder = instana::testing::Recorder::new();
    /// recorder.enter(|| instana::exit_span("store").end());
    /// let unrecorded = recorder.unrecorded();
    /// assert_eq!(unrecorded.len(), 1);
    /// assert_eq!((unrecorded[0].name.as_str(), unrecorded[0].count), ("store", 1));
    /// ```
    pub fn unrecorded(&self) -> Vec<Unrecorded> {
        let places = self.scope.unrecorded().places();
        places.into_iter().map(Unrecorded::of).collect()
    }

    /// What became of this recorder's spans and messages, as
    /// [`status`](crate::process::status()) says it of the process's: those that have finished
    /// are `waiting`. Texts and attributes that were cut or left out are counted where
    /// that happened in a context of this recorder, but not inside of a closure of
    /// [`current`](crate::current()).
    pub fn counts(&self) -> SpanCounts {
        let unrecorded = self.scope.unrecorded().counts();
        let mut counts = SpanCounts::of(self.scope.losses().counts(), unrecorded);
        counts.waiting = self.spans().len() as u64;
        counts
    }

    /// Forgets the finished spans, and what was not recorded.
    pub fn clear(&self) {
        self.scope.clear();
    }

    #[track_caller]
    fn only(&self, what: &str, is_it: impl Fn(&RecordedSpan) -> bool) -> RecordedSpan {
        let mut spans = self.spans();
        spans.retain(is_it);
        let count = spans.len();
        assert!(
            count == 1,
            "{count} spans {what}, not one\n\n{}",
            self.report()
        );
        spans.remove(0)
    }

    /// What there is, for the message of an assertion.
    fn report(&self) -> String {
        let mut report = format!("recorded:\n{}", self.tree());
        let unrecorded = self.unrecorded();
        if !unrecorded.is_empty() {
            let unrecorded: Vec<_> = unrecorded.iter().map(Unrecorded::to_string).collect();
            let _ = write!(report, "\nnot recorded: {}", unrecorded.join(", "));
        }
        let outside = unscoped::summary();
        if !outside.is_empty() {
            report.push_str("\noutside of every recorder of this process: ");
            report.push_str(&outside);
        }
        report
    }

    fn context(&self) -> Context {
        let extra = Extra {
            tracestate: None,
            scope: Some(self.scope.clone()),
        };
        Context {
            extra: Some(Arc::new(extra)),
            ..Context::default()
        }
    }
}
