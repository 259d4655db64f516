//! What requests are filled with.

use serde_json::Value;

use crate::pipeline::export::exporter::*;
use crate::pipeline::host_agent::size::MAX_BODY;
use crate::pipeline::port::Encoded;
use crate::record::fields::Fields;
use crate::record::head::{Head, Traits};
use crate::record::{AsTag as _, sdk};
use crate::trace::span::http;

const FULL: Limits = Limits {
    bytes: MAX_BODY,
    span: MAX_BODY,
};

const ORIGIN: &str = r#"{"e":"1"}"#;

/// A pool with numbered spans, each with a text of so many bytes, and its exporter.
fn exporter(texts: &[usize]) -> (&'static Pool, Exporter) {
    let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
    pool.open(64 << 20, usize::MAX, || ());
    record(pool, texts);
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    live.replace(Settings::new(Config::default()));
    let mut exporter = Exporter::new(pool, live);
    exporter.most_time = Duration::from_secs(600);
    (pool, exporter)
}

fn record(pool: &Pool, texts: &[usize]) {
    let first = pool.counts();
    let known = first.sent + first.waiting + first.dropped_too_large;
    for (span, length) in texts.iter().enumerate() {
        let mut text = Vec::new();
        for part in 0..length.div_ceil(3_900) {
            let tag = "x".repeat((length - part * 3_900).min(3_900));
            Fields::new(&mut text, &sdk::SECTION).tag(&format!("part{part}"), tag.as_tag());
        }
        let head = Head {
            trace: 1,
            span: known + span as u64 + 1,
            traits: Traits::new(http::EXIT.index(), 0),
            ..Head::default()
        };
        pool.record_shared(&head, &text);
    }
}

/// The numbers of the spans of the next request.
fn next(exporter: &mut Exporter, limits: &Limits) -> Option<(Vec<u64>, Batch)> {
    let mut body = Vec::new();
    let Encoded::Batch(batch) = exporter.encode(ORIGIN, limits, &mut body) else {
        return None;
    };
    let spans: Vec<Value> = serde_json::from_slice(&body).unwrap();
    let number = |span: &Value| u64::from_str_radix(span["s"].as_str().unwrap(), 16).unwrap();
    let numbers: Vec<u64> = spans.iter().map(number).collect();
    assert_eq!(numbers.len(), batch.spans);
    assert!(
        batch.spans == 1 || body.len() <= limits.bytes,
        "{}",
        body.len()
    );
    Some((numbers, batch))
}

#[test]
fn what_waits_decides_the_size_of_a_request() {
    let (_, mut exporter) = exporter(&vec![10; 30_000]);
    let (numbers, batch) = next(&mut exporter, &FULL).unwrap();
    assert!(numbers.len() > 5_000, "{}", numbers.len());
    assert!(!batch.is_last && !batch.is_second);
    let mut sent = numbers.len();
    exporter.acknowledge(false);
    while let Some((numbers, batch)) = next(&mut exporter, &FULL) {
        assert_eq!(numbers[0], sent as u64 + 1, "in order, none left out");
        sent += numbers.len();
        assert_eq!(batch.is_last, sent == 30_000);
        exporter.acknowledge(false);
    }
    assert_eq!(sent, 30_000);
}

#[test]
fn writing_a_request_ends_in_time() {
    let (_, mut exporter) = exporter(&vec![10; 30_000]);
    exporter.most_time = Duration::from_nanos(1);
    let (numbers, batch) = next(&mut exporter, &FULL).unwrap();
    assert_eq!(numbers.len(), LOOK_EACH);
    assert!(!batch.is_last);
    exporter.acknowledge(false);
    let (numbers, _) = next(&mut exporter, &FULL).unwrap();
    assert_eq!(numbers[0], LOOK_EACH as u64 + 1);
}

#[test]
fn smaller_limits_make_smaller_requests_of_at_least_one_span() {
    for (bytes, least, most) in [(1, 1, 1), (2_000, 2, 20), (100_000, 100, 1_000)] {
        let (pool, mut exporter) = exporter(&vec![10; 2_000]);
        let limits = Limits { bytes, ..FULL };
        let mut sent = 0;
        while let Some((numbers, batch)) = next(&mut exporter, &limits) {
            let fits = batch.is_last || (least..=most).contains(&numbers.len());
            assert!(fits, "{bytes}: {}", numbers.len());
            sent += numbers.len();
            exporter.acknowledge(false);
        }
        assert_eq!((sent, pool.counts().sent), (2_000, 2_000));
    }
}

#[test]
fn a_span_that_is_too_large_keeps_no_others() {
    let (pool, mut exporter) = exporter(&[10, 9_000, 10, 9_000, 10]);
    let limits = Limits {
        span: 5_000,
        ..FULL
    };
    let (numbers, _) = next(&mut exporter, &limits).unwrap();
    assert_eq!(numbers, [1, 3, 5]);
    exporter.acknowledge(false);
    assert_eq!(next(&mut exporter, &limits), None);
    let counts = pool.counts();
    assert_eq!((counts.sent, counts.dropped_too_large), (3, 2));
    // Alone, too.
    record(pool, &[9_000]);
    assert_eq!(next(&mut exporter, &limits), None);
    let counts = pool.counts();
    assert_eq!((counts.waiting, counts.dropped_too_large), (0, 3));
}

#[test]
fn doubtful_spans_are_sent_once_again_without_others() {
    let (pool, mut exporter) = exporter(&[10; 100]);
    assert_eq!(next(&mut exporter, &FULL).unwrap().0.len(), 100);
    exporter.doubt();
    record(pool, &[10; 5]);
    let limits = Limits {
        bytes: 10_000,
        ..FULL
    };
    let (first, batch) = next(&mut exporter, &limits).unwrap();
    assert!(batch.is_second && !batch.is_last);
    assert!((2..100).contains(&first.len()));
    // Refused, and then half of them not answered: those are given up.
    exporter.retry();
    let (again, _) = next(&mut exporter, &limits).unwrap();
    assert_eq!(again, first);
    exporter.give_up(Reason::Unanswered);
    let mut sent = Vec::new();
    while let Some((numbers, batch)) = next(&mut exporter, &FULL) {
        assert_eq!(batch.is_second, numbers[0] <= 100);
        sent.extend(numbers);
        exporter.acknowledge(batch.is_second);
    }
    let expected: Vec<u64> = (first.len() as u64 + 1..=105).collect();
    assert_eq!(sent, expected);
    let counts = pool.counts();
    assert_eq!(counts.dropped_unanswered, first.len() as u64);
    assert_eq!(counts.maybe_twice, 100 - first.len() as u64);
    assert_eq!(counts.sent, 105 - first.len() as u64);
}

/// Segments and body together stay within the bound, but for a megabyte.
#[test]
fn a_full_buffer_makes_smaller_bodies() {
    for (bound, recorded, least, most) in [
        // Room for a large one beside few spans.
        (16 << 20, 40_000, 4 << 20, 5 << 20),
        // Full of spans.
        (16 << 20, 300_000, 700 << 10, 1 << 20),
        (4 << 20, 12_000, 700 << 10, 3 << 20),
    ] {
        let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
        pool.open(bound, usize::MAX, || ());
        record(pool, &vec![10; recorded]);
        let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
        let mut exporter = Exporter::new(pool, live);
        exporter.most_time = Duration::from_secs(600);
        let mut body = Vec::new();
        let encoded = exporter.encode(ORIGIN, &FULL, &mut body);
        assert!(matches!(encoded, Encoded::Batch(_)), "{encoded:?}");
        assert!(
            (least..=most).contains(&body.len()),
            "{bound}: {}",
            body.len()
        );
        // Segments do not grow into it.
        record(pool, &vec![10; 100_000]);
        let all = pool.memory() + body.capacity();
        assert!(all <= bound + (1 << 20) + (64 << 10), "{bound}: {all}");
        exporter.acknowledge(false);
        record(pool, &vec![10; 200_000]);
        assert!(pool.memory() > bound - (64 << 10), "they may again");
    }
}

#[test]
fn many_segments_are_acknowledged_in_one_pass() {
    let (pool, mut exporter) = exporter(&vec![4_000; 2_500]);
    let mut sent = 0;
    while let Some((numbers, _)) = next(&mut exporter, &FULL) {
        sent += numbers.len();
        exporter.acknowledge(false);
    }
    assert_eq!(sent, 2_500);
    assert_eq!((pool.counts().waiting, pool.hold().drift()), (0, 0));
}
