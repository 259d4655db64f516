//! Spans inside of spans, and spans in the wrong place.

use super::*;
use crate::FutureExt;
use crate::record::Section;
use crate::testing::{Recorder, Unrecorded};
use crate::trace::propagation::{Header, Inject};
use crate::trace::span::{Attempt, http};

static SECTION: Section = Section::new("m", &[]);

static KAFKA: Family = Family::new("kafka", Kind::Entry, &SECTION, "messaging");
static SQS: Family = Family::new("sqs", Kind::Entry, &SECTION, "messaging");
static STORE: Family = Family::new("redis", Kind::Exit, &SECTION, "databases");
static WORK: Family = Family::new("work", Kind::Intermediate, &SECTION, "other");

const TRACEPARENT: &[u8] = b"00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Headers(Vec<(Header, Vec<u8>)>);

impl Inject for Headers {
    fn set(&mut self, header: Header, value: &[u8]) {
        self.remove(header);
        self.0.push((header, value.to_vec()));
    }

    fn remove(&mut self, header: Header) {
        self.0.retain(|(name, _)| *name != header);
    }
}

impl crate::trace::propagation::Extract for Headers {
    fn first(&self, header: Header) -> Option<&[u8]> {
        let found = self.0.iter().find(|(name, _)| *name == header);
        found.map(|(_, value)| value.as_slice())
    }

    fn each(&self, header: Header, value: &mut dyn FnMut(&[u8])) {
        self.first(header).into_iter().for_each(value);
    }
}

fn injected(span: &Span) -> Headers {
    let mut headers = Headers::default();
    span.inject(&mut headers);
    headers
}

/// In an entry of a request with another vendor's state.
fn in_request<R>(recorder: &Recorder, f: impl FnOnce() -> R) -> R {
    let mut headers = Headers::default();
    headers.set(Header::Traceparent, TRACEPARENT);
    headers.set(Header::Tracestate, b"foo=1,bar=2");
    let incoming = Incoming::extract(&headers, &recorder.tracer());
    recorder.tracer().entry(&http::ENTRY, &incoming).enter(f)
}

#[test]
fn below_an_exit_the_ids_of_the_exit_go_out() {
    let recorder = Recorder::new();
    in_request(&recorder, || {
        let mut outer = crate::exit_span("outer");
        let sent = injected(&outer);
        assert_eq!(sent.0.len(), 5);
        let state = sent.0.iter().find(|(name, _)| *name == Header::Tracestate);
        assert!(state.unwrap().1.ends_with(b",foo=1,bar=2"));
        let ids = outer.context().ids();
        let inner = outer.enter(|| {
            let of_current = || Span::exit_of(&Context::current(), &STORE);
            let makers: [&dyn Fn() -> Span; 3] = [
                &|| Span::exit(&http::EXIT),
                &|| crate::exit_span("sdk"),
                &of_current,
            ];
            let mut inner: Vec<Span> = makers.iter().map(|make| make()).collect();
            for make in makers {
                // Below a no-op in between, and below another that carries.
                inner.push(crate::span("work").enter(make));
                inner.push(Span::exit(&STORE).enter(make));
                inner.push(crate::span("work").enter(|| Span::exit(&STORE).enter(make)));
            }
            inner
        });
        // Wherever they are written.
        for span in &inner {
            assert!(!span.is_recording() && span.kind().is_none());
            assert_eq!(injected(span), sent);
            assert_eq!(span.context().ids(), ids);
        }
    });
    recorder.assert_tree("entry g.http\n  exit outer");
    assert_eq!(recorder.unrecorded(), []);
}

#[test]
fn below_an_exit_nothing_else_is_recorded_but_what_is_said() {
    let recorder = Recorder::new();
    in_request(&recorder, || {
        crate::exit_span("outer").enter(|| {
            assert!(crate::span("work").is_none());
            let mut call = Span::exit(&STORE);
            call.tag("lost", 1);
            call.error("not of a span");
            call.enter(|| Span::annotation(&STORE).end());
        });
    });
    recorder.assert_tree("entry g.http\n  exit outer\n    exit redis");
}

#[test]
fn a_call_below_an_exit_goes_on_where_it_is_polled_and_is_not_cancelled() {
    let recorder = Recorder::new();
    let (ids, future) = in_request(&recorder, || {
        let mut outer = crate::exit_span("outer");
        let ids = outer.context().ids();
        let future = outer.enter(|| {
            let call = async { injected(&Span::exit(&STORE)) };
            call.in_span(Span::exit(&http::EXIT))
        });
        drop(outer.enter(|| std::future::pending::<()>().in_span(Span::exit(&STORE))));
        (ids, future)
    });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(sent) = std::pin::pin!(future).poll(&mut context) else {
        unreachable!("it waits for nothing");
    };
    let span = ids.span().unwrap().to_string();
    assert!(sent.0.contains(&(Header::SpanId, span.into_bytes())));
    recorder.assert_tree("entry g.http\n  exit outer");
}

#[test]
fn below_a_suppressed_exit_calls_stay_suppressed() {
    let recorder = Recorder::new();
    in_request(&recorder, || {
        crate::exit_span("outer").enter(|| {
            crate::suppress(|| {
                let sent = injected(&Span::exit(&STORE));
                assert!(sent.0.contains(&(Header::Level, b"0".to_vec())));
                assert!(sent.0.iter().all(|(name, _)| *name != Header::SpanId));
            });
        });
    });
    assert_eq!(recorder.unrecorded(), []);
}

fn start(family: &'static Family, incoming: &Incoming) -> Span {
    if sdk::is(family) {
        crate::entry_span("job")
    } else {
        Span::entry(family, incoming)
    }
}

/// Starts an entry of a family inside of an open one; whether it is recorded, and with
/// the trace that it brings.
fn is_recorded(open: &'static Family, new: &'static Family, between: impl Fn() -> Span) -> bool {
    let recorder = Recorder::new();
    let incoming = Incoming::from_ids("ab", "cd");
    recorder.enter(|| {
        start(open, &Incoming::none()).enter(|| {
            between().enter(|| {
                let entry = start(new, &incoming);
                if entry.is_recording() && !sdk::is(new) {
                    assert_eq!(entry.context().trace_id().unwrap(), "00000000000000ab");
                }
            });
        });
    });
    let unrecorded = recorder.unrecorded();
    let entries = recorder.spans();
    let entries = entries
        .iter()
        .filter(|span| span.kind() == Kind::Entry)
        .count();
    assert_eq!(entries + unrecorded.len(), 2, "recorded or counted");
    assert_eq!(recorder.counts().entries_inside, unrecorded.len() as u64);
    if let Some(lost) = unrecorded.first() {
        assert_eq!((lost.kind, lost.count), (Kind::Entry, 1));
        let is_named_by_user = std::ptr::eq(new, &sdk::ENTRY);
        let is_known = |place: &String| place.contains("start/tests.rs:");
        assert_eq!(lost.place.as_ref().is_some_and(is_known), is_named_by_user);
    }
    entries == 2
}

#[test]
fn entries_inside_of_entries() {
    let (http, sdk) = (&http::ENTRY, &sdk::ENTRY);
    for (open, new, expected) in [
        (http, http, false),
        (http, &KAFKA, true),
        (http, &SQS, true),
        (http, sdk, false),
        (&KAFKA, http, true),
        (&KAFKA, &KAFKA, false),
        (&KAFKA, &SQS, true),
        (&KAFKA, sdk, false),
        (&SQS, &KAFKA, true),
        (&SQS, &SQS, false),
        (sdk, http, true),
        (sdk, &KAFKA, true),
        (sdk, &SQS, true),
        (sdk, sdk, false),
    ] {
        let names = (open.name(), new.name());
        assert_eq!(is_recorded(open, new, Span::none), expected, "{names:?}");
        let work = || crate::span("work");
        assert_eq!(is_recorded(open, new, work), expected, "{names:?}, in work");
        // What is called in the process itself, and what was carried to a task.
        let exit = || Span::exit(&STORE);
        assert!(is_recorded(open, new, exit), "{names:?}, in an exit");
        let carried = || Span::carrier(Context::current());
        assert!(is_recorded(open, new, carried), "{names:?}, carried");
    }
}

#[test]
fn the_innermost_open_entry_decides_and_scopes_stay() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        crate::entry_span("job").enter(|| {
            Span::entry(&http::ENTRY, &Incoming::none()).enter(|| {
                Span::entry(&KAFKA, &Incoming::none()).enter(|| {
                    Span::entry(&http::ENTRY, &Incoming::none()).end();
                });
                assert!(Span::entry(&http::ENTRY, &Incoming::none()).is_none());
            });
            crate::exit_span("of the job").end();
        });
    });
    let labels: Vec<_> = recorder.spans().iter().map(|span| span.label()).collect();
    assert_eq!(labels, ["g.http", "kafka", "g.http", "of the job", "job"]);
}

fn shown(recorder: &Recorder) -> Vec<(Kind, String, u64)> {
    let unrecorded = recorder.unrecorded().into_iter();
    unrecorded
        .map(
            |Unrecorded {
                 kind, name, count, ..
             }| (kind, name, count),
        )
        .collect()
}

#[test]
fn what_begins_outside_of_entries_is_counted_by_place() {
    let recorder = Recorder::new();
    let line = line!() + 3;
    recorder.enter(|| {
        for _ in 0..3 {
            crate::span("work").enter(|| {
                Span::exit(&STORE).end();
                crate::exit_span("bill").end();
            });
            Span::exit_of(&Context::current(), &WORK).end();
            let _ =
                crate::trace::span::sql::Target::mysql(&crate::trace::span::sql::Address::new())
                    .exit("SELECT 1");
        }
    });
    let expected = [
        (Kind::Intermediate, "work", 3),
        (Kind::Exit, "redis", 3),
        (Kind::Exit, "bill", 3),
        (Kind::Intermediate, "work", 3),
        (Kind::Exit, "mysql", 3),
    ];
    let expected = expected.map(|(kind, name, count)| (kind, name.to_owned(), count));
    assert_eq!(shown(&recorder), expected);
    let places: Vec<_> = recorder
        .unrecorded()
        .into_iter()
        .map(|lost| lost.place)
        .collect();
    assert_eq!(places[0], Some(format!("{}:{line}", file!())));
    assert_eq!(places[1], None, "it would be that of the library");
    assert_eq!(places[2], Some(format!("{}:{}", file!(), line + 2)));
    let counts = recorder.counts();
    let counts = (
        counts.exits_outside,
        counts.intermediates_outside,
        counts.entries_inside,
    );
    assert_eq!(counts, (9, 6, 0));
    recorder.assert_empty();
}

#[test]
fn what_nobody_wanted_is_no_loss() {
    let (plain, rules, roots, off) = (
        Recorder::new(),
        Recorder::builder().disable("databases").build(),
        Recorder::builder().allow_root_exits(true).build(),
        Recorder::builder().disable("true").build(),
    );
    plain.enter(|| {
        crate::suppress(|| {
            Span::exit(&STORE).end();
            crate::exit_span("bill").end();
            crate::span("work").end();
            crate::entry_span("job").end();
        });
        Span::annotation(&STORE).end();
        let attempt = Attempt::start(|| Span::exit(&STORE));
        assert!(attempt.into_span().is_none());
    });
    rules.enter(|| crate::entry_span("job").enter(|| Span::exit(&STORE).end()));
    roots.enter(|| {
        Span::exit(&STORE).end();
        crate::exit_span("bill").end();
        assert!(
            Attempt::start(|| Span::exit(&STORE))
                .into_span()
                .is_recording()
        );
    });
    off.enter(|| {
        Span::exit(&STORE).end();
        crate::span("work").enter(|| crate::exit_span("bill").end());
    });
    for recorder in [&plain, &rules, &roots, &off] {
        assert_eq!(recorder.unrecorded(), []);
    }
}

#[test]
fn failed_assertions_name_what_was_not_recorded() {
    let recorder = Recorder::new();
    recorder.enter(|| crate::exit_span("bill").end());
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        recorder.labelled("bill");
    }));
    let text = *failed.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("not recorded: 1 × exit bill ("), "{text}");
}

#[test]
fn headers_are_read_only_where_spans_are_recorded() {
    let incoming = || Incoming::from_ids("fa2375d711a4ca0f", "37cb2d6e9b1c078a");
    let unread = || -> Incoming { unreachable!("there is no tracer") };
    assert!(!Tracer::global().is_on());
    assert!(Tracer::global().entry_with(&KAFKA, unread).is_none());

    let (recorder, other) = (Recorder::new(), Recorder::new());
    recorder.tracer().entry_with(&KAFKA, incoming).end();
    // As with `entry`, the context's own tracer comes first.
    recorder.enter(|| Tracer::global().entry_with(&SQS, incoming).end());
    recorder.enter(|| other.tracer().entry_with(&http::ENTRY, incoming).end());
    other.assert_empty();
    recorder.assert_tree("entry kafka\nentry sqs\nentry g.http");
    for span in recorder.spans() {
        assert_eq!(span.parent(), "37cb2d6e9b1c078a");
    }
}
