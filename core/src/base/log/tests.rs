//! Lines in order, bounded, and delivered by a thread of their own.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::base::log::queue::{Next, Queue};
use crate::base::log::*;
use crate::base::text::printable;
use crate::testing::Recorder;

/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(30);

fn queue(logger: impl Fn(Level, &str) + Send + Sync + 'static) -> &'static Queue {
    let queue = Box::leak(Box::new(Queue::new()));
    queue.replace(Some(Logger::new(logger)));
    queue
}

/// A queue whose logger waits for the sender that is dropped, and its lines.
fn blocked_queue() -> (&'static Queue, mpsc::Sender<()>, Receiver<String>) {
    let (let_go, gone) = mpsc::channel::<()>();
    let (line, lines) = mpsc::channel();
    let gone = Mutex::new(gone);
    let queue = queue(move |_, text| {
        let _ = gone.lock().unwrap().recv();
        line.send(text.to_owned()).unwrap();
    });
    (queue, let_go, lines)
}

fn push(queue: &'static Queue, text: &str) {
    queue.push(Level::Warn, text.to_owned(), true);
}

fn drain(queue: &'static Queue) {
    queue.drain(Instant::now() + LONG, LONG);
    assert_eq!(queue.counts().waiting, 0);
}

#[test]
fn names_of_levels() {
    for (name, level) in [
        ("error", Some(Level::Error)),
        (" WARN ", Some(Level::Warn)),
        ("warning", Some(Level::Warn)),
        ("Info", Some(Level::Info)),
        ("debug", Some(Level::Debug)),
        ("trace", None),
        ("", None),
    ] {
        assert_eq!(Level::parse(name), level, "{name:?}");
    }
}

#[test]
fn lines_stay_on_one_line_and_short() {
    for (text, limit, line) in [
        ("plain", 10, "plain"),
        ("a\r\nb\u{1b}[31m", 20, "a  b [31m"),
        ("abcdef", 3, "abc..."),
        ("aéé", 4, "aé..."),
        ("", 0, ""),
    ] {
        assert_eq!(printable(text, limit), line, "{text:?}");
    }
}

// The only test that touches the process-wide logger and level.
#[test]
fn the_logger_gets_enabled_lines_and_may_panic_log_and_trace() {
    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let before = LEVEL.load(Ordering::Relaxed);
    set_level(Level::Info);
    set_logger(|level, line| {
        if line == "logger panics" {
            panic!("logger");
        }
        if line == "logger logs" {
            write(Level::Info, format_args!("from the logger"));
        }
        if line.contains("logger") {
            crate::exit_span("of the logger").end();
            let name = thread::current().name().map(str::to_owned);
            assert_eq!(name.as_deref(), Some("instana-log"));
            let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(format!("{level} {line}"));
        }
    });
    let recorder = Recorder::new();
    recorder.enter(|| {
        crate::entry_span("entry").enter(|| {
            write(Level::Error, format_args!("logger panics"));
            write(Level::Debug, format_args!("logger does not get this"));
            warn(format_args!("logger logs"));
            write(Level::Error, format_args!("logger {}", 1));
            crate::exit_span("of the application").end();
        });
    });
    QUEUE.drain(Instant::now() + LONG, LONG);
    QUEUE.replace(None);
    LEVEL.store(before, Ordering::Relaxed);
    assert_eq!(
        *LINES.lock().unwrap(),
        ["warning logger logs", "error logger 1"]
    );
    let names: Vec<_> = recorder
        .spans()
        .iter()
        .map(|span| span.text("data.sdk.name").unwrap())
        .collect();
    assert_eq!(names, ["of the application", "entry"]);
}

#[test]
fn a_logger_that_blocks_keeps_nobody_waiting_and_what_it_misses_is_counted() {
    let (queue, let_go, lines) = blocked_queue();
    let begin = Instant::now();
    for number in 0..1_000 {
        push(queue, &number.to_string());
    }
    // Not until the end of time, for a single line.
    queue.drain(begin + 10 * LONG, Duration::from_millis(50));
    assert!(begin.elapsed() < LONG);
    let counts = queue.counts();
    assert_eq!(counts.written, 0);
    // One is with the logger by now, and one place is for the report.
    assert!((256..=258).contains(&counts.waiting), "{counts:?}");
    assert!((742..=744).contains(&counts.unwritten), "{counts:?}");
    drop(let_go);
    drain(queue);
    push(queue, "later");
    drain(queue);
    let lines: Vec<String> = lines.try_iter().collect();
    let kept = 1_000 - counts.unwritten as usize;
    let first: Vec<String> = (0..kept).map(|number| number.to_string()).collect();
    assert_eq!(lines.get(..kept), Some(first.as_slice()));
    let report = format!(
        "{} lines were left out here: there was no room for them",
        counts.unwritten
    );
    assert_eq!(
        lines.get(kept..),
        Some([report, "later".to_owned()].as_slice())
    );
    let after = queue.counts();
    assert_eq!(after.written, kept as u64 + 2);
    assert_eq!(after.unwritten, counts.unwritten);
}

#[test]
fn the_report_of_lost_lines_stands_where_they_are_missing() {
    let (queue, let_go, lines) = blocked_queue();
    for number in 0..300 {
        push(queue, &number.to_string());
    }
    let_go.send(()).unwrap();
    let_go.send(()).unwrap();
    // There is room for the report and one more.
    while queue.counts().written < 2 {
        thread::sleep(Duration::from_millis(1));
    }
    let lost = queue.counts().unwritten;
    push(queue, "after");
    drop(let_go);
    drain(queue);
    let lines: Vec<String> = lines.try_iter().collect();
    let last = &lines[lines.len() - 3..];
    let before = (299 - lost).to_string();
    assert_eq!(last[0], before);
    assert!(last[1].starts_with(&format!("{lost} lines were left out")));
    assert_eq!(last[2], "after");
}

#[test]
fn lines_are_bounded_in_bytes() {
    let (queue, let_go, _lines) = blocked_queue();
    let long = "x".repeat(MAX_LINE);
    for _ in 0..100 {
        push(queue, &long);
    }
    let waiting = queue.counts().waiting;
    assert!((32..=34).contains(&waiting), "{waiting}");
    drop(let_go);
}

#[test]
fn a_logger_that_panics_costs_its_line_only() {
    /// Panics once more when it is dropped.
    struct Again;
    impl Drop for Again {
        fn drop(&mut self) {
            panic!("again");
        }
    }
    let (line, lines) = mpsc::channel();
    let queue = queue(move |_, text| match text {
        "panics" => panic!("on purpose"),
        "panics twice" => std::panic::panic_any(Again),
        _ => line.send(text.to_owned()).unwrap(),
    });
    for text in ["a", "panics", "b", "panics twice", "c"] {
        push(queue, text);
        drain(queue);
    }
    assert_eq!(lines.try_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    let counts = queue.counts();
    assert_eq!((counts.written, counts.unwritten), (3, 2));
}

#[test]
fn a_line_goes_to_the_logger_that_was_there_when_it_was_written() {
    let (queue, let_go, lines) = blocked_queue();
    push(queue, "first");
    push(queue, "second");
    let (line, later) = mpsc::channel();
    queue.replace(Some(Logger::new(move |_, text: &str| {
        line.send(text.to_owned()).unwrap();
    })));
    push(queue, "third");
    drop(let_go);
    drain(queue);
    assert_eq!(lines.try_iter().collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(later.try_iter().collect::<Vec<_>>(), ["third"]);
}

#[test]
fn a_forked_child_has_neither_the_lines_nor_the_thread() {
    let (queue, let_go, lines) = blocked_queue();
    push(queue, "of the parent");
    push(queue, "too");
    queue.tell("for the agent");
    // As in the child: the lock was held over the fork.
    queue.hold().after_fork();
    assert!(
        matches!(queue.next(1), Next::End),
        "not its thread any more"
    );
    assert_eq!(queue.counts(), LineCounts::default());
    assert_eq!(queue.told(), [""; 0]);
    drop(let_go);
    push(queue, "of the child");
    drain(queue);
    let lines: Vec<String> = lines.try_iter().collect();
    // The thread is still here, other than in a child.
    assert!(lines.contains(&"of the child".to_owned()), "{lines:?}");
    assert!(!lines.contains(&"too".to_owned()), "{lines:?}");
}

#[test]
fn lines_for_the_agent_are_few() {
    let queue = queue(|_, _| {});
    for _ in 0..100 {
        queue.tell("line");
    }
    assert_eq!(queue.told().len(), 32);
    assert_eq!(queue.told(), [""; 0]);
}
