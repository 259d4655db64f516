//! Errors of spans.

use super::*;

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
        entry.record_error(error::Failure::display(&"later"));
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
