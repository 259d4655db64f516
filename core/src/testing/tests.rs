//! What the recorder tells about spans.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::record::{Family, Kind, Section};
use crate::testing::{RecordedSpan, Recorder};
use crate::trace::propagation::Incoming;
use crate::trace::span::Span;
use crate::trace::span::http::{ENTRY, EXIT, Http};

/// The message of an assertion that fails.
fn failure(assertion: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(assertion)).unwrap_err();
    *payload.downcast::<String>().unwrap()
}

/// An entry that goes on from elsewhere, and a job of its own.
fn two_trees() -> Recorder {
    let recorder = Recorder::builder().service("shop").build();
    recorder.enter(|| {
        let incoming = Incoming::from_ids("fa2375d711a4ca0f", "37cb2d6e9b1c078a");
        let mut entry = Span::entry(&ENTRY, &incoming);
        Http::record(&mut entry, |http| {
            http.method("GET").header("x-b", "2").header("x-a", "1");
        });
        entry.enter(|| {
            crate::span("work").enter(|| {
                let mut exit = Span::exit(&EXIT);
                exit.cancel();
            });
            crate::exit_span("call").log_with("sent", |log| {
                log.field("trace", crate::Context::current().trace_id().unwrap());
            });
        });
        crate::entry_span("job").end();
    });
    recorder
}

#[test]
fn a_tree_is_compared_without_order() {
    let recorder = two_trees();
    recorder.assert_tree(
        "
        entry job
        entry g.http
            exit call
            intermediate work
               exit http !
    ",
    );
    let entry = recorder.labelled("g.http");
    let children = recorder.children(&entry);
    assert!(
        children
            .iter()
            .map(RecordedSpan::label)
            .eq(["work", "call"])
    );
}

/// Polls a future that has nothing to wait for.
fn poll<F: Future>(future: Pin<&mut F>) -> F::Output {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing to wait for"),
    }
}

#[test]
fn a_future_runs_in_an_entry_of_its_recorder() {
    let (recorder, other) = (Recorder::new(), Recorder::new());
    let mut job = pin!(recorder.in_entry(async {
        crate::exit_span("call").end();
        7
    }));
    assert!(recorder.spans().is_empty());
    assert_eq!(other.enter_entry(|| poll(job.as_mut())), 7);
    recorder.assert_tree("entry job\n  exit call");
    other.assert_tree("entry job");
}

#[test]
fn the_entry_of_a_future_that_is_dropped_ends() {
    let recorder = Recorder::new();
    drop(recorder.in_entry(async { crate::exit_span("call").end() }));
    recorder.assert_tree("entry job");
}

#[test]
fn a_closure_runs_in_an_entry_of_its_recorder() {
    let recorder = Recorder::new();
    let output = recorder.enter_entry(|| {
        crate::exit_span("call").end();
        7
    });
    assert_eq!(output, 7);
    recorder.assert_tree("entry job\n  exit call");
    assert!(crate::Context::current().is_empty());
}

#[test]
fn the_exits_are_in_the_order_in_which_they_ended() {
    let recorder = two_trees();
    recorder.enter_entry(|| {
        let first = crate::exit_span("first");
        crate::exit_span("second").end();
        first.end();
    });
    let exits: Vec<_> = recorder.exits().iter().map(RecordedSpan::label).collect();
    assert_eq!(exits, ["http", "call", "second", "first"]);
    recorder.clear();
    assert!(recorder.exits().is_empty());
}

#[test]
fn a_tag_is_json_and_its_name_is_the_whole_name() {
    let recorder = Recorder::new();
    recorder.enter_entry(|| {
        crate::current(|job| {
            job.tag("a.b", 1);
            job.tag("a", "two \"2\"");
            job.tag("c", 0.5);
            job.tag("d", true);
            job.tag("", "empty");
        });
    });
    let job = recorder.labelled("job");
    for (name, expected) in [
        ("a.b", Some("1")),
        ("a", Some(r#""two \"2\"""#)),
        ("c", Some("0.5")),
        ("d", Some("true")),
        ("", Some("\"empty\"")),
        ("b", None),
        ("a.b.c", None),
    ] {
        assert_eq!(job.tag(name).as_deref(), expected, "{name:?}");
    }
    assert_eq!(two_trees().labelled("http").tag("a"), None);
}

#[test]
fn a_failed_assertion_shows_the_trees() {
    let recorder = two_trees();
    let message = failure(|| recorder.assert_tree("entry g.http\n exit call\n  exit http"));
    for part in [
        "expected:\nentry g.http\n  exit call\n    exit http\n",
        "recorded:\nentry g.http (",
        " ms, continues a trace)\n  intermediate work (",
        "    exit http ! (",
        " ms: cancelled after ",
        "\n  exit call (",
        "\nentry job (",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    let message = failure(|| drop(recorder.labelled("wrok")));
    assert!(
        message.starts_with("0 spans labelled \"wrok\", not one\n"),
        "{message}"
    );
    assert!(message.contains("intermediate work ("), "{message}");
    let message = failure(|| recorder.assert_empty());
    assert!(message.contains("intermediate work ("), "{message}");
    recorder.clear();
    recorder.assert_empty();
    let message = failure(|| recorder.assert_tree("entry job"));
    assert!(message.contains("recorded:\n(no spans)"), "{message}");
}

#[test]
fn a_snapshot_is_the_same_in_each_run() {
    let expected = "\
- entry g.http (trace 1)
    http.header.x-a = \"1\"
    http.header.x-b = \"2\"
    http.method = \"GET\"
    service = \"shop\"
  - exit sdk
      sdk.custom.logs.0.message = \"sent\"
      sdk.custom.logs.0.trace = \"<trace>\"
      sdk.name = \"call\"
      sdk.type = \"exit\"
      service = \"shop\"
  - intermediate sdk
      sdk.name = \"work\"
      sdk.type = \"intermediate\"
      service = \"shop\"
    - exit http
        ec = 1
        http.error = \"cancelled after N ms\"
        service = \"shop\"
- entry sdk (trace 2)
    sdk.name = \"job\"
    sdk.type = \"entry\"
    service = \"shop\"
";
    for _ in 0..3 {
        assert_eq!(two_trees().snapshot(), expected);
    }
}

#[test]
fn concurrent_siblings_give_the_same_snapshot_in_any_order() {
    let record = |names: [&'static str; 3]| {
        let recorder = Recorder::new();
        recorder.enter(|| {
            crate::entry_span("job").enter(|| {
                for name in names {
                    crate::span(name).enter(|| crate::exit_span("same").end());
                }
            });
        });
        recorder.snapshot()
    };
    assert_eq!(record(["a", "b", "c"]), record(["c", "a", "b"]));
}

#[test]
fn spans_outside_of_every_recorder_are_named() {
    static LOST: Family = Family::new("lost exit", Kind::Exit, &SECTION, "test");
    static SECTION: Section = Section::new("lost", &[]);
    let recorder = Recorder::new();
    let lost = || {
        crate::entry_span("lost entry").end();
        crate::span("lost work").end();
        Span::exit(&LOST).end();
    };
    std::thread::spawn(lost).join().unwrap();
    recorder.enter(|| {
        crate::entry_span("kept").enter(|| {
            crate::span("kept, too").end();
            crate::entry_span("inner").end();
            Span::exit(&EXIT).end();
        });
        crate::span("without a parent").end();
    });
    let message = failure(|| recorder.assert_empty());
    let (_, outside) = message
        .split_once("outside of every recorder of this process: ")
        .unwrap();
    for part in [
        "1 × entry lost entry",
        "1 × intermediate lost work (",
        "1 × exit lost exit",
    ] {
        assert!(outside.contains(part), "{part:?} is not in {outside}");
    }
    for part in ["kept", "inner", "without a parent"] {
        assert!(!outside.contains(part), "{part:?} is in {outside}");
    }
}
