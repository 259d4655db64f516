//! Fields, tags and names, and spans that are discarded.

use super::*;

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
