//! What the recorder tells about spans.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Recorder;
use crate::propagation::Incoming;
use crate::span::http::{ENTRY, EXIT, Http};
use crate::span::{Family, Kind, Section, Span};

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
            .map(super::RecordedSpan::label)
            .eq(["work", "call"])
    );
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
