//! Spans in the wrong place, of the process's tracer: in its log and in its status.

use std::sync::Mutex;

use instana::{LogLevel, status};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn spans_in_the_wrong_place_are_counted_and_said_once() {
    // Before there is a tracer, nothing is lost.
    instana::exit_span("early").end();
    let guard = instana::builder()
        .agent("127.0.0.1:1")
        .log_level(LogLevel::Warn)
        .logger(|_, line| LINES.lock().unwrap().push(line.to_owned()))
        .init()
        .unwrap();
    let line = line!() + 2;
    for _ in 0..3 {
        instana::exit_span("bill").end();
    }
    instana::entry_span("job").enter(|| {
        // As a task that is spawned without its context.
        let task = || instana::span("price").enter(|| instana::exit_span("store").end());
        std::thread::spawn(task).join().unwrap();
        instana::entry_span("second").end();
        instana::suppress(|| instana::exit_span("ping").end());
    });
    drop(guard);
    instana::exit_span("late").end();

    let spans = status().spans;
    let counts = (
        spans.exits_outside,
        spans.intermediates_outside,
        spans.entries_inside,
    );
    assert_eq!(counts, (4, 1, 1));
    assert_eq!(spans.unrecorded(), 6);
    let text = status().to_string();
    let shown = "exits 4 and work 1 outside of entries, entries 1 inside of entries";
    assert!(text.contains(shown), "{text}");

    let lines = LINES.lock().unwrap();
    let about = |name: &str| -> Vec<&String> {
        let name = format!("{name} at {}:", file!());
        lines.iter().filter(|line| line.contains(&name)).collect()
    };
    for name in [
        "exit bill",
        "exit store",
        "intermediate price",
        "entry second",
    ] {
        assert_eq!(about(name).len(), 1, "{name}: {lines:?}");
    }
    let bill = about("exit bill")[0];
    assert!(
        bill.contains(&format!("{}:{line} is not recorded: ", file!())),
        "{bill}"
    );
    assert!(bill.contains("INSTANA_ALLOW_ROOT_EXIT_SPAN"), "{bill}");
    for name in ["early", "late", "ping"] {
        assert!(about(&format!("exit {name}")).is_empty(), "{lines:?}");
    }
}
