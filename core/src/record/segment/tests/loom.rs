//! Every order in which threads that record, the agent thread and what they
//! share may meet, within a few spans: two fill a segment here.
//!
//! `cargo xtask loom`

use loom::thread;

use crate::record::head::Record;
use crate::record::segment::segment::{Mark, Segment, SegmentWriter};
use crate::record::segment::sync::SEGMENT;
use crate::record::segment::thread::{Thread, head};
use crate::record::segment::*;

/// How often a thread may be interrupted where it need not wait. With four, all
/// orders are tried in ten seconds; with six, it takes ten times as long.
const INTERRUPTIONS: usize = 4;

fn in_all_orders(test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(INTERRUPTIONS);
    model.check(test);
}

fn append(writer: &mut SegmentWriter, span: u64) -> bool {
    writer.append(&head(span), &span.to_ne_bytes())
}

fn record(writer: &mut Thread, span: u64) {
    writer.record(&POOL, &head(span), &span.to_ne_bytes());
}

/// The spans in `bytes`, each of them whole.
fn spans(mut bytes: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    while let Some((record, rest)) = Record::split(bytes) {
        assert_eq!(record.head, head(record.head.span), "torn");
        assert_eq!(record.attributes, record.head.span.to_ne_bytes(), "torn");
        found.push(record.head.span);
        bytes = rest;
    }
    assert!(bytes.is_empty(), "whole records only");
    found
}

/// What was published behind `mark`, which moves on.
fn follow(segment: &Segment, mark: &mut Mark) -> Vec<u64> {
    let bytes = segment.published(*mark);
    let found = spans(bytes);
    *mark = mark.plus(Mark::new(bytes.len() / 8, found.len()));
    found
}

/// One request with all that waits; the ids in it.
fn send(backlog: &mut Backlog) -> Vec<u64> {
    let mut sent = Vec::new();
    let portions = backlog.portions(1 << 20).list;
    for portion in &portions {
        let bytes = portion.bytes();
        let found = spans(bytes);
        if !found.is_empty() {
            backlog.take(portion, found.len(), bytes.len());
        }
        sent.extend(found);
    }
    // Read again before they are let go: nobody writes there meanwhile.
    let again = portions.iter().flat_map(|portion| spans(portion.bytes()));
    assert!(again.count() >= sent.len());
    backlog.release_others(portions, 0);
    sent
}

/// Sends what is left, and compares all that was sent with what was recorded.
fn finish(mut backlog: Backlog, mut sent: Vec<u64>, recorded: u64) {
    loop {
        let rest = send(&mut backlog);
        if rest.is_empty() {
            break;
        }
        sent.extend(rest);
        backlog.acknowledge(Unsent::default(), false);
    }
    let counts = POOL.counts();
    assert_eq!(counts.sent, sent.len() as u64);
    assert_eq!(counts.sent + counts.dropped_full, recorded, "{counts:?}");
    assert_eq!(counts.waiting, 0);
    assert_eq!(POOL.lock().drift(), 0);
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(counts.sent, sent.len() as u64, "a span was sent twice");
    POOL.close();
}

#[test]
fn a_reader_sees_whole_records_in_their_order() {
    in_all_orders(|| {
        let mut writer = SegmentWriter::allocate(SEGMENT).unwrap();
        let segment = writer.segment().clone();
        let reader = thread::spawn(move || {
            let mut mark = Mark::default();
            let mut found = follow(&segment, &mut mark);
            found.extend(follow(&segment, &mut mark));
            (segment, mark, found)
        });
        assert!(append(&mut writer, 1) && append(&mut writer, 2));
        assert!(!append(&mut writer, 3), "it is full");
        let (segment, mut mark, mut found) = reader.join().unwrap();
        found.extend(follow(&segment, &mut mark));
        assert_eq!(found, [1, 2]);
    });
}

#[test]
fn a_segment_is_used_again_when_its_last_reader_has_gone() {
    in_all_orders(|| {
        let mut writer = SegmentWriter::allocate(SEGMENT).unwrap();
        let segment = writer.segment().clone();
        assert!(append(&mut writer, 1));
        let reader = thread::spawn({
            let segment = segment.clone();
            move || {
                assert_eq!(follow(&segment, &mut Mark::default()), [1]);
                // As long as it has the segment, that stays as it is.
                assert_eq!(follow(&segment, &mut Mark::default()), [1]);
            }
        });
        drop(writer);
        if let Some(mut writer) = SegmentWriter::reuse(segment) {
            assert!(append(&mut writer, 2));
            let again = follow(writer.segment(), &mut Mark::default());
            assert_eq!(again, [2]);
        }
        reader.join().unwrap();
    });
}

#[test]
fn every_span_arrives_once_while_its_thread_records_more() {
    in_all_orders(|| {
        POOL.open(64 * SEGMENT, usize::MAX, || ());
        let writer = thread::spawn(|| {
            let mut writer = Thread::new();
            (1..=3).for_each(|span| record(&mut writer, span));
        });
        let mut backlog = Backlog::new(&POOL);
        let mut sent = send(&mut backlog);
        backlog.acknowledge(Unsent::default(), false);
        sent.extend(send(&mut backlog));
        backlog.acknowledge(Unsent::default(), false);
        writer.join().unwrap();
        finish(backlog, sent, 3);
    });
}

/// Two segments for five spans: the oldest go, but none that are in a request.
#[test]
fn a_full_pool_gives_up_what_is_in_no_request() {
    in_all_orders(|| {
        POOL.open(2 * SEGMENT, usize::MAX, || ());
        let mut writer = Thread::new();
        (1..=2).for_each(|span| record(&mut writer, span));
        let writer = thread::spawn(move || {
            (3..=7).for_each(|span| record(&mut writer, span));
        });
        let mut backlog = Backlog::new(&POOL);
        let in_flight = send(&mut backlog);
        backlog.retry();
        let sent = send(&mut backlog);
        backlog.acknowledge(Unsent::default(), false);
        assert!(!in_flight.is_empty());
        writer.join().unwrap();
        finish(backlog, sent, 7);
    });
}

/// One thread ends, another one goes on in its segment, the agent thread tidies
/// up in between.
#[test]
fn the_segment_of_a_thread_that_ends_goes_to_the_next() {
    in_all_orders(|| {
        POOL.open(64 * SEGMENT, usize::MAX, || ());
        let mut first = Thread::new();
        (1..=2).for_each(|span| record(&mut first, span));
        let ending = thread::spawn(move || drop(first));
        let next = thread::spawn(|| {
            let mut next = Thread::new();
            (3..=4).for_each(|span| record(&mut next, span));
        });
        let mut backlog = Backlog::new(&POOL);
        let sent = send(&mut backlog);
        backlog.acknowledge(Unsent::default(), false);
        backlog.tick();
        ending.join().unwrap();
        next.join().unwrap();
        finish(backlog, sent, 4);
    });
}

#[test]
fn a_span_that_ends_while_the_tracer_stops_is_sent_or_let_go() {
    in_all_orders(|| {
        POOL.open(64 * SEGMENT, usize::MAX, || ());
        let writer = thread::spawn(|| {
            let mut writer = Thread::new();
            (1..=2).for_each(|span| record(&mut writer, span));
        });
        let mut backlog = Backlog::new(&POOL);
        let sent = send(&mut backlog).len() as u64;
        backlog.acknowledge(Unsent::default(), false);
        POOL.close();
        writer.join().unwrap();
        let counts = POOL.counts();
        assert_eq!((counts.sent, counts.waiting), (sent, 0));
        assert!(sent + counts.dropped_stopped <= 2, "{counts:?}");
        assert_eq!(POOL.memory(), 0);
    });
}
