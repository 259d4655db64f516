//! Stack traces of exits: this is an application, so the frames are those of its
//! own functions.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use instana::span::{Family, Kind};
use instana::testing::{RecordedSpan, Recorder, RecorderBuilder};
use instana::{FutureExt, Span, StackTraces, entry_span, exit_span, span};
use serde_json::Value;

instana::section! {
    struct Kafka = "kafka" {
        error: error(200),
    }
}

static KAFKA: Family = Family::new("kafka", Kind::Exit, Kafka::SECTION, "messaging");

/// Method, file and line of each frame.
fn frames(span: &RecordedSpan) -> Vec<(String, String, u64)> {
    let span: Value = serde_json::from_str(&span.json()).unwrap();
    let Some(stack) = span.get("stack") else {
        return Vec::new();
    };
    let text = |frame: &Value, key| frame[key].as_str().unwrap_or_default().to_owned();
    let frame = |frame: &Value| {
        let line = frame["n"].as_u64().unwrap_or_default();
        (text(frame, "m"), text(frame, "c"), line)
    };
    stack.as_array().unwrap().iter().map(frame).collect()
}

fn methods(span: &RecordedSpan) -> Vec<String> {
    let frames = frames(span);
    frames.into_iter().map(|(method, ..)| method).collect()
}

fn all() -> RecorderBuilder {
    Recorder::builder().stack_trace(StackTraces::All)
}

/// Runs `f` in an entry; the only exit that it made.
fn exit_of(recorder: &Recorder, f: impl FnOnce()) -> RecordedSpan {
    recorder.enter_entry(f);
    recorder.span("sdk", Kind::Exit)
}

#[inline(never)]
fn load() -> u32 {
    exit_span("load").end();
    line!() - 1
}

#[test]
fn the_first_frame_is_where_the_call_was_made() {
    let recorder = all().build();
    let mut line = 0;
    let exit = exit_of(&recorder, || line = load());
    let frames = frames(&exit);
    let expected = ("stack::load", "core/tests/stack.rs", u64::from(line));
    assert_eq!(
        frames.first().map(|(m, c, n)| (m.as_str(), c.as_str(), *n)),
        Some(expected)
    );
    let own: Vec<String> = frames.into_iter().map(|(method, ..)| method).collect();
    // Two closures, `exit_of` and the test itself.
    assert!(
        own.iter().all(|method| method.starts_with("stack::")),
        "{own:?}"
    );
    assert!(own.contains(&"stack::exit_of".to_owned()), "{own:?}");
    let test = "stack::the_first_frame_is_where_the_call_was_made".to_owned();
    assert!(own.contains(&test), "{own:?}");
}

#[inline(never)]
fn fail(exit: &mut Span) {
    exit.error("refused");
}

#[test]
fn by_default_only_those_that_fail_have_a_stack_of_where_it_was_noticed() {
    let recorder = Recorder::new();
    let good = exit_of(&recorder, || {
        load();
    });
    assert!(!good.has("stack"), "{}", good.json());
    recorder.clear();
    let bad = exit_of(&recorder, || {
        let mut exit = exit_span("load");
        fail(&mut exit);
        exit.mark_erroneous();
    });
    assert_eq!(methods(&bad).first().unwrap(), "stack::fail");
    assert_eq!(bad.json().matches("\"stack\"").count(), 1);
}

#[test]
fn all_have_that_of_the_call_also_where_it_fails() {
    let recorder = all().build();
    let bad = exit_of(&recorder, || fail(&mut exit_span("load")));
    assert!(!methods(&bad).contains(&"stack::fail".to_owned()));
    assert!(
        methods(&bad)
            .first()
            .unwrap()
            .starts_with("stack::all_have")
    );
}

#[test]
fn none_have_any() {
    for recorder in [
        Recorder::builder().stack_trace(StackTraces::None),
        all().stack_trace_length(0),
        Recorder::builder().stack_trace_length(0),
    ] {
        let exit = exit_of(&recorder.build(), || fail(&mut exit_span("load")));
        assert!(!exit.has("stack"), "{}", exit.json());
    }
}

#[test]
fn entries_and_work_in_between_have_none() {
    let recorder = all().build();
    recorder.enter(|| {
        let mut entry = entry_span("job");
        fail(&mut entry);
        entry.enter(|| fail(&mut span("work")));
    });
    assert_eq!(recorder.spans().len(), 2);
    for span in recorder.spans() {
        assert!(!span.has("stack"), "{}", span.json());
    }
}

#[test]
fn an_exit_without_an_entry_has_one() {
    let recorder = all().allow_root_exits(true).build();
    recorder.enter(load);
    assert_eq!(
        methods(&recorder.span("sdk", Kind::Exit)).first().unwrap(),
        "stack::load"
    );
}

#[test]
fn a_technology_has_a_setting_of_its_own() {
    let recorder = Recorder::builder()
        .technology_stack_trace("kafka", StackTraces::All, 1)
        .build();
    recorder.enter(|| {
        entry_span("job").enter(|| {
            Span::exit(&KAFKA).end();
            load();
        });
    });
    assert_eq!(frames(&recorder.span("kafka", Kind::Exit)).len(), 1);
    assert!(!recorder.span("sdk", Kind::Exit).has("stack"));

    let recorder = all()
        .technology_stack_trace("kafka", StackTraces::None, 10)
        .build();
    recorder.enter(|| {
        entry_span("job").enter(|| {
            fail(&mut Span::exit(&KAFKA));
            load();
        });
    });
    assert!(!recorder.span("kafka", Kind::Exit).has("stack"));
    assert!(recorder.span("sdk", Kind::Exit).has("stack"));
}

#[inline(never)]
fn deep(calls: usize) -> usize {
    if calls == 0 {
        load();
        return 0;
    }
    1 + std::hint::black_box(deep(calls - 1))
}

#[test]
fn the_length_bounds_the_frames() {
    for (length, expected) in [(1, 1), (3, 3), (10, 10), (500, 300)] {
        let recorder = all().stack_trace_length(length).build();
        let exit = exit_of(&recorder, || {
            deep(300);
        });
        let methods = methods(&exit);
        let length = usize::from(length);
        assert!(
            (expected..=length).contains(&methods.len()),
            "{}",
            methods.len()
        );
        assert_eq!(methods.first().unwrap(), "stack::load", "the innermost");
    }
}

#[test]
fn a_full_span_has_no_stack_and_stays_whole() {
    let recorder = all().stack_trace(StackTraces::Error).build();
    let exit = exit_of(&recorder, || {
        let mut exit = exit_span("load");
        for number in 0..5 {
            exit.tag(&number.to_string(), "x".repeat(4_000).as_str());
        }
        for number in 5..50 {
            exit.tag(&number.to_string(), "x".repeat(100).as_str());
        }
        exit.mark_erroneous();
    });
    assert!(!exit.has("stack"));
    assert_eq!(exit.errors(), 1);
}

/// An executor that does nothing but poll.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return output;
        }
    }
}

async fn once_pending() {
    let mut polled = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

async fn query(fails: bool) {
    let done = move |span: &mut Span, (): &()| {
        if fails {
            span.error("refused");
        }
    };
    once_pending().in_span_with(exit_span("query"), done).await;
}

async fn handler(fails: bool) {
    once_pending().await;
    Box::pin(query(fails)).await;
    once_pending().await;
}

#[test]
fn futures_have_the_names_of_their_functions() {
    for (recorder, fails) in [(all(), false), (Recorder::builder(), true)] {
        let recorder = recorder.build();
        block_on(recorder.scope(async {
            async { handler(fails).await }
                .in_span(entry_span("job"))
                .await;
        }));
        let methods = methods(&recorder.span("sdk", Kind::Exit));
        let place = |name: &str| methods.iter().position(|method| method == name);
        let (query, handler) = (place("stack::query"), place("stack::handler"));
        assert_eq!(query, Some(0), "{methods:?}");
        assert!(handler > query, "{methods:?}");
        assert!(place("stack::block_on") > handler, "{methods:?}");
    }
}

#[test]
fn one_that_was_given_up_has_the_stack_of_who_did() {
    #[inline(never)]
    fn give_up(future: impl Future) {
        drop(future);
    }
    let recorder = Recorder::new();
    let exit = exit_of(&recorder, || {
        let mut future = Box::pin(once_pending().in_span(exit_span("query")));
        let waker = Waker::noop();
        assert!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_pending()
        );
        give_up(future);
    });
    let methods = methods(&exit);
    assert!(
        methods.first().unwrap().ends_with("::give_up"),
        "{methods:?}"
    );
}

#[test]
fn a_handle_keeps_where_it_was_told() {
    #[inline(never)]
    fn tell(mut handle: instana::span::Handle) {
        handle.error("refused");
        handle.mark_erroneous();
    }
    let recorder = Recorder::new();
    let exit = exit_of(&recorder, || {
        let mut exit = exit_span("load");
        let handle = exit.handle();
        thread::spawn(|| tell(handle)).join().unwrap();
    });
    let methods = methods(&exit);
    assert!(methods.first().unwrap().ends_with("::tell"), "{methods:?}");
}

#[test]
fn threads_that_end_keep_what_they_fail_with() {
    struct AtEnd(Option<Span>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            self.0.take().unwrap().error("too late");
        }
    }
    thread_local! {
        static AT_END: std::cell::RefCell<Option<AtEnd>> = const { std::cell::RefCell::new(None) };
    }
    let recorder = Recorder::new();
    let context = recorder.clone();
    thread::spawn(move || {
        context.enter(|| {
            entry_span("job").enter(|| AT_END.set(Some(AtEnd(Some(exit_span("load"))))));
        });
    })
    .join()
    .unwrap();
    let methods = methods(&recorder.span("sdk", Kind::Exit));
    assert!(methods.first().unwrap().contains("AtEnd"), "{methods:?}");
}
