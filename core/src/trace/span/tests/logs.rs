//! Log entries of spans.

use super::*;

#[test]
fn a_log_has_its_entries_in_order() {
    let recorder = Recorder::new();
    let before = crate::base::clock::unix_time().as_millis() as u64;
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
    let after = crate::base::clock::unix_time().as_millis() as u64;
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
