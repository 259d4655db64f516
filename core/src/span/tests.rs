//! How spans start, are described and end.

use std::time::Duration;

use super::http::{self, Http};
use super::*;
use crate::propagation::Incoming;
use crate::span::Kind;
use crate::testing::Recorder;

#[test]
fn a_span_is_eight_bytes_and_can_be_sent() {
    assert_eq!(size_of::<Span>(), 8);
    fn is_send<T: Send>() {}
    is_send::<Span>();
    is_send::<Handle>();
}

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
fn the_last_value_of_a_field_wins() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
        Http::record(&mut entry, |http| {
            http.status(200)
                .method("GET")
                .status(404)
                .header("x-a", "1")
                .header("x-b", "2")
                .header("x-a", "3");
        });
        entry.tag("n", 1);
        entry.tag("n", -2);
        entry.tag("f", 0.5);
        entry.tag("not a number", f64::NAN);
        entry.tag("b", true);
        entry.tag("s", "text");
        entry.service("other");
    });
    let span = recorder.span("g.http", Kind::Entry);
    assert_eq!(span.integer("data.http.status"), Some(404));
    assert_eq!(span.text("data.http.header.x-a").as_deref(), Some("3"));
    assert_eq!(span.text("data.http.header.x-b").as_deref(), Some("2"));
    assert_eq!(span.integer("data.sdk.custom.tags.n"), Some(-2));
    assert_eq!(span.float("data.sdk.custom.tags.f"), Some(0.5));
    assert_eq!(span.boolean("data.sdk.custom.tags.b"), Some(true));
    assert_eq!(span.text("data.sdk.custom.tags.s").as_deref(), Some("text"));
    assert!(!span.has("data.sdk.custom.tags.not a number"));
    assert_eq!(span.text("data.service").as_deref(), Some("other"));
}

#[test]
fn a_span_knows_nothing_of_the_one_before() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut first = Span::entry(&http::ENTRY, &Incoming::none());
        Http::record(&mut first, |http| {
            http.method("GET");
        });
        first.handle().tag("of", "the first");
        first.end();
        recorder.clear();
        Span::entry(&http::ENTRY, &Incoming::none()).end();
    });
    let second = recorder.span("g.http", Kind::Entry);
    assert!(
        !second.has("data.http.method") && !second.has("data.sdk"),
        "{}",
        second.json()
    );
}

#[test]
fn a_discarded_span_is_not_recorded() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        crate::entry_span("job").enter(|| {
            let mut exit = Span::exit(&http::EXIT);
            exit.handle().tag("by", "handle");
            exit.error("gone with it");
            exit.discard();
            Span::exit(&http::EXIT).end();
            Span::none().discard();
        });
    });
    recorder.assert_tree("entry job\n  exit http");
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
        assert!(!Span::leaf(&http::EXIT).is_recording());
        entry_span("entry").enter(|| {
            span("between").enter(|| Span::leaf(&http::EXIT).end());
            exit_span("exit").enter(|| {
                Span::leaf(&http::EXIT).enter(|| Span::leaf(&http::EXIT).end());
            });
        });
        let suppressed = Incoming::suppressed();
        Span::entry(&http::ENTRY, &suppressed).enter(|| {
            assert!(!Span::leaf(&http::EXIT).is_recording());
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
                handle.record_error(failure::Failure::display(&"late https://user:pw@host/x"));
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
fn a_span_can_be_renamed_with_its_attributes() {
    crate::section! {
        /// Test.
        struct Graph = "graphql" {
            /// Test.
            operation = "operationName": text(20),
            /// Test.
            errors: error(200),
        }
    }
    static SERVER: Family = Family::new("graphql.server", Kind::Entry, Graph::SECTION, "protocols");
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
        Http::record(&mut entry, |http| {
            http.method("POST");
        });
        assert_eq!(entry.family().map(Family::name), Some("g.http"));
        let mut handle = entry.handle();
        assert!(entry.rename(&SERVER));
        handle.error("no such field");
        handle.error_count(3);
        handle.mark_erroneous();
        assert_eq!(entry.family().map(Family::name), Some("graphql.server"));
        Graph::record(&mut entry, |graph| {
            graph.operation("a very long name of an operation");
        });
    });
    let span = recorder.span("graphql.server", Kind::Entry);
    assert_eq!(span.text("data.http.method").as_deref(), Some("POST"));
    assert_eq!(
        span.text("data.graphql.operationName").as_deref(),
        Some("a very long name of ")
    );
    assert_eq!(span.error_text().as_deref(), Some("no such field"));
    assert!(span.has("data.graphql.errors"));
    assert_eq!(span.errors(), 3);

    let recorder = Recorder::builder()
        .environment(&[("INSTANA_TRACING_DISABLE", "graphql")])
        .build();
    recorder.enter(|| {
        let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
        assert!(
            !entry.rename(&SERVER),
            "what is switched off takes nothing over"
        );
        assert!(!Span::none().rename(&SERVER));
    });
    recorder.assert_tree("entry g.http");
}

#[test]
fn calls_that_are_given_up_are_errors_unless_the_settings_say_no() {
    for (is_error, errors) in [(true, 1), (false, 0)] {
        let recorder = Recorder::builder()
            .cancelled_exits_as_errors(is_error)
            .build();
        recorder.enter(|| {
            let mut entry = crate::entry_span("job");
            entry.enter(|| crate::exit_span("hedged").cancel());
            entry.cancel();
        });
        let exit = recorder.labelled("hedged");
        assert_eq!(exit.errors(), errors);
        assert_eq!(exit.error_text().is_some(), is_error);
        let tag = exit.integer("data.sdk.custom.tags.cancelled_after_ms");
        assert_eq!(tag.is_none(), is_error);
        assert_eq!(recorder.labelled("job").errors(), 1, "an entry always");
    }
}

#[test]
fn a_discarded_span_leaves_nothing_behind() {
    let recorder = Recorder::builder().poll_timing(true).build();
    recorder.enter(|| {
        crate::entry_span("job").enter(|| {
            let mut quick = crate::span("quick");
            quick.tag("key", "value");
            let mut handle = quick.handle();
            quick.discard();
            handle.tag("late", true);
            crate::span("next").end();
            Span::none().discard();
        });
        crate::entry_span("given up").discard();
    });
    recorder.assert_tree("entry job\n  intermediate next");
    assert!(!recorder.labelled("next").has("data.sdk.custom"));
    assert!(Span::none().family().is_none());
}

#[test]
fn errors_count_once_and_the_number_can_be_raised() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
        entry.error("first");
        entry.error("second");
        entry.mark_erroneous();
        entry.enter(|| {
            let mut exit = Span::exit(&http::EXIT);
            exit.error_count(3);
            exit.error_count(2);
        });
    });
    assert_eq!(recorder.span("g.http", Kind::Entry).errors(), 1);
    assert_eq!(
        recorder
            .span("g.http", Kind::Entry)
            .text("data.http.error")
            .as_deref(),
        Some("second")
    );
    assert_eq!(recorder.span("http", Kind::Exit).errors(), 3);
}

#[test]
fn an_error_is_recorded_once_with_its_type_where_tags_are() {
    let recorder = Recorder::new();
    let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, "no https://u:pw@h/x");
    recorder.enter(|| {
        let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
        entry.enter(|| {
            let mut exit = crate::exit_span("price list");
            // A tag that is redacted like an error is none.
            exit.tag("target", TagValue::Error("https://u:pw@h/x"));
            exit.record_error(&missing());
            exit.record_error(&std::fmt::Error);
            let boxed: Box<dyn std::error::Error + Send + Sync> = missing().into();
            let mut work = crate::span("price");
            work.record_error(&*boxed);
        });
        entry.mark_erroneous();
        entry.record_error(&missing());
        entry.record_error(failure::Failure::display(&"later"));
    });
    let redacted = "no https://<redacted>:<redacted>@h/x";
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.text("data.http.error").as_deref(), Some(redacted));
    assert_eq!(entry.errors(), 1);
    assert!(!entry.has("data.sdk"), "{}", entry.json());
    let exit = recorder.span("sdk", Kind::Exit);
    let tag = |span: &crate::testing::RecordedSpan, name: &str| {
        span.text(&format!("data.sdk.custom.tags.{name}"))
    };
    assert_eq!(tag(&exit, "error").as_deref(), Some(redacted));
    assert_eq!(exit.errors(), 1);
    assert!(
        exit.json()
            .contains(r#""error.type":"std::io::error::Error""#)
    );
    let work = recorder
        .spans()
        .into_iter()
        .find(|span| span.text("data.sdk.name").as_deref() == Some("price"));
    let work = work.unwrap();
    assert_eq!(tag(&work, "error").as_deref(), Some(redacted));
    assert!(!work.json().contains("error.type"), "{}", work.json());
}

#[test]
fn an_error_text_by_hand_replaces_and_is_not_replaced() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = crate::entry_span("job");
        entry.error("first");
        entry.error("by hand");
        entry.record_error(&std::fmt::Error);
    });
    let job = recorder.span("sdk", Kind::Entry);
    let error = job.text("data.sdk.custom.tags.error");
    assert_eq!(error.as_deref(), Some("by hand"));
    assert_eq!(job.errors(), 1);
}

#[test]
fn a_correlation_is_that_of_a_root_entry() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = crate::entry_span("page");
        entry.correlation("web", "first");
        entry.correlation("web", "1a2b");
        entry.correlation("web", "");
        entry.correlation(&"x".repeat(257), "1a2b");
        entry.enter(|| {
            let mut work = crate::span("work");
            work.correlation("web", "work");
            let mut exit = crate::exit_span("call");
            exit.correlation("web", "exit");
        });
        let incoming = Incoming::from_ids("fa2375d711a4ca0f", "37cb2d6e9b1c078a");
        let mut continued = Span::entry(&http::ENTRY, &incoming);
        continued.correlation("web", "continued");
    });
    let page = recorder.span("sdk", Kind::Entry);
    assert_eq!(page.text("crtp").as_deref(), Some("web"));
    assert_eq!(page.text("crid").as_deref(), Some("1a2b"));
    assert_eq!(page.json().matches("crid").count(), 1, "{}", page.json());
    for other in recorder
        .spans()
        .iter()
        .filter(|span| span.id() != page.id())
    {
        assert!(!other.has("crid") && !other.has("crtp"), "{}", other.json());
    }
}

#[test]
fn a_log_has_its_entries_in_order() {
    let recorder = Recorder::new();
    let before = crate::clock::unix_time().as_millis() as u64;
    recorder.enter(|| {
        let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
        entry.log("connected to postgres://u:pw@db/x");
        entry.log_with("retry", |log| {
            log.field("attempt", 1)
                .field("attempt", 2)
                .field("late", true);
        });
        entry.tag("a", 1);
        entry.handle().log_with("from elsewhere", |log| {
            log.field("share", 0.5).field("not a number", f64::NAN);
        });
    });
    let after = crate::clock::unix_time().as_millis() as u64;
    let span = recorder.span("g.http", Kind::Entry);
    assert_eq!(span.integer("data.sdk.custom.tags.a"), Some(1));
    let json: serde_json::Value = serde_json::from_str(&span.json()).unwrap();
    let logs = json["data"]["sdk"]["custom"]["logs"].as_object().unwrap();
    let mut times: Vec<u64> = logs.keys().map(|key| key.parse().unwrap()).collect();
    times.sort_unstable();
    assert!(times[0] + 2 >= before && times[2] <= after + 4, "{times:?}");
    let entries: Vec<_> = times.iter().map(|at| &logs[&at.to_string()]).collect();
    assert_eq!(
        serde_json::json!(entries),
        serde_json::json!([
            {"message": "connected to postgres://<redacted>:<redacted>@db/x"},
            {"message": "retry", "attempt": 2, "late": true},
            {"message": "from elsewhere", "share": 0.5},
        ])
    );
}

#[test]
fn a_log_stays_within_the_bound_of_a_span() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = crate::entry_span("job");
        for _ in 0..10_000 {
            entry.log_with("again", |log| {
                log.field("text", "x".repeat(100));
            });
        }
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            entry.log_with("panics", |_| panic!("on purpose"));
        }));
        assert!(result.is_ok(), "no room, so that it is not called");
    });
    let json = recorder.span("sdk", Kind::Entry).json();
    assert!((10_000..32_000).contains(&json.len()), "{}", json.len());
}

#[test]
fn a_panic_within_a_log_entry_leaves_whole_attributes() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = crate::entry_span("job");
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            entry.log_with("panics", |log| {
                log.field("a", 1);
                panic!("on purpose");
            });
        }));
        assert!(result.is_err());
        entry.tag("after", 1);
    });
    let job = recorder.span("sdk", Kind::Entry);
    assert_eq!(job.integer("data.sdk.custom.tags.after"), Some(1));
    assert!(
        job.json().contains(r#"{"a":1,"message":"panics"}"#),
        "{}",
        job.json()
    );
}

#[test]
fn what_has_to_be_worked_out_is_not_for_nothing() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut suppressed = Span::entry(&http::ENTRY, &Incoming::suppressed());
        suppressed.tag_with("a", || -> u64 { unreachable!("a suppressed span") });
        suppressed.log_with("a", |_| unreachable!("a suppressed span"));
        suppressed.end();
        let mut entry = crate::entry_span("job");
        entry.tag_with("text", || String::from("worked out"));
        entry.tag("boxed", Box::<str>::from("in a box"));
        entry.tag("shared", std::sync::Arc::new(String::from("in an Arc")));
    });
    let job = recorder.span("sdk", Kind::Entry);
    for (name, expected) in [
        ("text", "worked out"),
        ("boxed", "in a box"),
        ("shared", "in an Arc"),
    ] {
        let tag = job.text(&format!("data.sdk.custom.tags.{name}"));
        assert_eq!(tag.as_deref(), Some(expected));
    }
}

#[test]
fn values_that_use_handles_do_not_wait_for_themselves() {
    struct Reports(Handle);
    impl AsTag for Reports {
        fn as_tag(&self) -> TagValue<'_> {
            self.0.clone().tag("inner", 1);
            TagValue::Boolean(true)
        }
    }
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = crate::entry_span("job");
        let mut handle = entry.handle();
        handle.tag("outer", Reports(handle.clone()));
        let mut other = handle.clone();
        handle.log_with("outer", |_| other.log("inner"));
    });
    let job = recorder.span("sdk", Kind::Entry);
    assert_eq!(job.integer("data.sdk.custom.tags.inner"), Some(1));
    assert_eq!(job.boolean("data.sdk.custom.tags.outer"), Some(true));
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
fn what_is_discarded_was_never_there() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        crate::entry_span("job").enter(|| {
            let mut tagged = crate::exit_span("no failure");
            tagged.tag("a", 1);
            let _handle = tagged.handle();
            tagged.discard();
            // The block is used again.
            crate::exit_span("call").end();
        });
    });
    recorder.assert_tree("entry job\n  exit call");
    assert!(!recorder.labelled("call").has("data.sdk.custom"));
    Span::none().discard();
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
