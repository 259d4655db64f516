//! Where spans start, and what is current then.

use super::*;

#[test]
fn an_entry_with_exits_is_one_trace() {
    let recorder = Recorder::builder().service("shop").build();
    recorder.enter(|| {
        let mut entry = Span::entry(
            &http::ENTRY,
            &Incoming::from_ids("fa2375d711a4ca0f", "37cb2d6e9b1c078a"),
        );
        Http::record(&mut entry, |http| {
            http.method("GET")
                .path("/orders/7")
                .status(200)
                .params("id=7&secret_token=x");
        });
        entry.enter(|| {
            for _ in 0..3 {
                Span::exit(&http::EXIT).end();
            }
        });
    });
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.trace(), "fa2375d711a4ca0f");
    assert_eq!(entry.parent(), "37cb2d6e9b1c078a");
    assert_eq!(entry.text("data.service").as_deref(), Some("shop"));
    assert_eq!(entry.text("data.http.method").as_deref(), Some("GET"));
    assert_eq!(entry.integer("data.http.status"), Some(200));
    assert_eq!(
        entry.text("data.http.params").as_deref(),
        Some("id=7&secret_token=<redacted>")
    );
    assert_eq!(entry.errors(), 0);
    let exits: Vec<_> = recorder
        .spans()
        .into_iter()
        .filter(|span| span.kind() == Kind::Exit)
        .collect();
    assert_eq!(exits.len(), 3);
    for exit in exits {
        assert_eq!(exit.parent(), entry.id());
        assert_eq!(exit.trace(), entry.trace());
    }
}

#[test]
fn exit_without_entry_is_not_recorded() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let exit = Span::exit(&http::EXIT);
        assert!(!exit.is_recording());
        assert!(!crate::span("work").is_recording());
    });
    assert!(recorder.spans().is_empty());
}

#[test]
fn exit_without_entry_is_a_root_where_allowed() {
    let recorder = Recorder::builder().allow_root_exits(true).build();
    recorder.enter(|| Span::exit(&http::EXIT).end());
    let exit = recorder.span("http", Kind::Exit);
    assert!(!exit.has("p"));
}

#[test]
fn nothing_is_recorded_below_an_exit() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        crate::entry_span("job").enter(|| {
            Span::exit(&http::EXIT).enter(|| {
                assert!(!Span::exit(&http::EXIT).is_recording());
                assert!(!crate::span("work").is_recording());
            });
        });
    });
    assert_eq!(recorder.spans().len(), 2);
}

#[test]
fn a_leaf_is_recorded_below_spans_of_any_kind_and_never_alone() {
    let recorder = Recorder::builder().allow_root_exits(true).build();
    recorder.enter(|| {
        assert!(!Span::annotation(&http::EXIT).is_recording());
        entry_span("entry").enter(|| {
            span("between").enter(|| Span::annotation(&http::EXIT).end());
            exit_span("exit").enter(|| {
                Span::annotation(&http::EXIT).enter(|| Span::annotation(&http::EXIT).end());
            });
        });
        let suppressed = Incoming::suppressed();
        Span::entry(&http::ENTRY, &suppressed).enter(|| {
            assert!(!Span::annotation(&http::EXIT).is_recording());
        });
    });
    let spans = recorder.spans();
    let parents: Vec<_> = spans
        .iter()
        .filter(|span| span.name() == "http")
        .map(|leaf| {
            let parent = spans.iter().find(|span| span.id() == leaf.parent());
            let name = parent.and_then(|parent| parent.text("data.sdk.name"));
            name.unwrap_or_default()
        })
        .collect();
    assert_eq!(parents, ["between", "", "exit"], "{spans:?}");
}

#[test]
fn a_second_entry_is_not_recorded_but_one_in_a_spawned_task_is() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        crate::entry_span("job").enter(|| {
            assert!(!crate::entry_span("inner").is_recording());
            crate::span("work").enter(|| {
                assert!(!crate::entry_span("inner, below work").is_recording());
            });
            let carried = Context::current();
            Span::carrier(carried).enter(|| crate::entry_span("served in a task").end());
        });
    });
    assert_eq!(recorder.spans().len(), 3);
    let task = recorder.spans().remove(1);
    assert!(!task.has("p"), "a new trace: {}", task.json());
}

#[test]
fn suppressed_calls_record_nothing_and_run_no_closure() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = Span::entry(&http::ENTRY, &Incoming::suppressed());
        assert!(entry.context().is_suppressed());
        Http::record(&mut entry, |_| {
            unreachable!("attributes of a suppressed span")
        });
        entry.enter(|| {
            assert!(!crate::span("work").is_recording());
            let exit = Span::exit(&http::EXIT);
            assert!(!exit.is_recording());
            assert!(exit.context().is_suppressed());
            assert_eq!(crate::current(|_| ()), None);
        });
    });
    assert!(recorder.spans().is_empty());
}

#[test]
fn current_reaches_the_innermost_span() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        crate::entry_span("outer").enter(|| {
            crate::span("inner").enter(|| {
                crate::current(|span| span.tag("at", "inner"));
                let nested = crate::current(|_| crate::current(|_| ()));
                assert_eq!(nested, Some(None), "no current span inside of current");
            });
            crate::current(|span| span.tag("at", "outer"));
        });
    });
    for span in recorder.spans() {
        assert_eq!(
            span.text("data.sdk.custom.tags.at"),
            span.text("data.sdk.name")
        );
    }
}

#[test]
fn a_handle_reaches_the_span_until_it_ends() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = crate::entry_span("job");
        let mut handle = entry.handle();
        std::thread::spawn({
            let mut handle = handle.clone();
            move || {
                handle.tag("from", "elsewhere");
                handle.record_error(error::Failure::display(&"late https://user:pw@host/x"));
                handle.record_error(&std::fmt::Error);
            }
        })
        .join()
        .unwrap();
        entry.end();
        handle.tag("too", "late");
    });
    let span = recorder.span("sdk", Kind::Entry);
    assert_eq!(
        span.text("data.sdk.custom.tags.from").as_deref(),
        Some("elsewhere")
    );
    assert_eq!(span.errors(), 1);
    let error = span.text("data.sdk.custom.tags.error").unwrap();
    assert!(!error.contains("pw"), "{error}");
    assert!(!span.has("data.sdk.custom.tags.too"));
}

#[test]
fn without_a_tracer_everything_is_a_no_op() {
    let mut entry = crate::entry_span("job");
    assert!(!entry.is_recording());
    entry.tag("a", 1);
    entry.error("b");
    entry.record_error(&std::fmt::Error);
    entry.log("c");
    entry.correlation("web", "1a2b");
    entry.handle().tag("c", 2);
    entry.handle().record_error(&std::fmt::Error);
    entry.handle().log("c");
    assert_eq!(entry.enter(|| Context::current().trace_id()), None);
    assert_eq!(crate::current(|_| ()), None);
}

#[test]
fn a_call_that_is_over_began_before() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        crate::entry_span("job").enter(|| {
            let mut exit = crate::exit_span("call");
            exit.backdate(Duration::from_millis(1_500));
            assert!((1_499..2_500).contains(&exit.elapsed_millis()));
            crate::exit_span("long ago").backdate(Duration::MAX);
        });
    });
    let duration = recorder.labelled("call").duration();
    assert!((1_499..2_500).contains(&duration), "{duration}");
}
