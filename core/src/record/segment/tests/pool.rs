//! The pool's bound, its order, and that every span arrives once and whole.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::record::head::{Head, Record};
use crate::record::segment::sync::SEGMENT;
use crate::record::segment::thread::{Thread, head};
use crate::record::segment::*;

fn pool(segments: usize) -> &'static Pool {
    let pool = Box::leak(Box::new(Pool::new()));
    pool.open(segments * SEGMENT, 500, || ());
    pool
}

/// Sends everything that waits; returns the ids in order.
fn drain(backlog: &mut Backlog) -> Vec<u64> {
    let mut ids = Vec::new();
    loop {
        let sent = send(backlog, usize::MAX);
        if sent.is_empty() {
            return ids;
        }
        ids.extend(sent);
        backlog.acknowledge(Unsent::default(), false);
    }
}

/// Takes up to `max` spans into a request.
fn send(backlog: &mut Backlog, max: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    let portions = backlog.portions(1 << 20).list;
    for portion in &portions {
        let (mut rest, mut records) = (portion.bytes(), 0);
        let len = rest.len();
        while let Some((record, tail)) = Record::split(rest) {
            if ids.len() == max {
                break;
            }
            let Head { span, .. } = record.head;
            assert_eq!(record.head, head(span), "its own parent and times");
            let text = span.to_string();
            assert!(
                record
                    .attributes
                    .chunks(text.len())
                    .all(|chunk| text.as_bytes().starts_with(chunk)),
                "torn"
            );
            ids.push(span);
            records += 1;
            rest = tail;
        }
        if records > 0 {
            backlog.take(portion, records, len - rest.len());
        }
    }
    backlog.release_others(portions, 0);
    ids
}

/// The id's digits, repeated: other spans' bytes would show.
fn attributes(span: u64, times: usize) -> Vec<u8> {
    span.to_string().repeat(times).into_bytes()
}

#[test]
fn records_come_back_as_they_went_in() {
    let pool = pool(4);
    let mut writer = Thread::new();
    for span in 1..100 {
        writer.record(pool, &head(span), &attributes(span, span as usize % 30));
    }
    let mut backlog = Backlog::new(pool);
    assert!(backlog.pending());
    assert_eq!(drain(&mut backlog), (1..100).collect::<Vec<_>>());
    assert!(!backlog.pending());
    writer.record(pool, &head(7), &[]);
    assert_eq!(
        drain(&mut backlog),
        [7],
        "the rest of a segment that was read before"
    );
    let counts = pool.counts();
    assert_eq!((counts.sent, counts.waiting), (100, 0));
}

#[test]
fn what_was_not_acknowledged_is_sent_again() {
    let pool = pool(4);
    let mut writer = Thread::new();
    for span in 1..=10 {
        writer.record(pool, &head(span), &attributes(span, 5));
    }
    let mut backlog = Backlog::new(pool);
    assert_eq!(send(&mut backlog, 6).len(), 6);
    backlog.retry();
    assert_eq!(send(&mut backlog, 4), [1, 2, 3, 4]);
    backlog.acknowledge(Unsent::default(), false);
    assert_eq!(send(&mut backlog, 3), [5, 6, 7]);
    backlog.give_up(|counts| &mut counts.dropped_rejected);
    assert_eq!(drain(&mut backlog), [8, 9, 10]);
    let counts = pool.counts();
    assert_eq!(
        (counts.sent, counts.dropped_rejected, counts.waiting),
        (7, 3, 0)
    );
}

#[test]
fn the_oldest_go_when_the_bound_is_reached() {
    let pool = pool(4);
    let mut writer = Thread::new();
    let total = 10_000;
    for span in 1..=total {
        writer.record(pool, &head(span), &attributes(span, 20));
    }
    assert!(pool.memory() <= 4 * SEGMENT, "{}", pool.memory());
    let mut backlog = Backlog::new(pool);
    let sent = drain(&mut backlog);
    assert_eq!(sent.last(), Some(&total));
    assert!(
        sent.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "the newest, in order"
    );
    let counts = pool.counts();
    assert_eq!(counts.sent + counts.dropped_full, total);
    assert_eq!(counts.sent, sent.len() as u64);
}

#[test]
fn spans_in_a_request_are_not_dropped() {
    let pool = pool(3);
    let mut writer = Thread::new();
    let mut backlog = Backlog::new(pool);
    for span in 1..=500 {
        writer.record(pool, &head(span), &attributes(span, 20));
    }
    let in_flight = send(&mut backlog, 10);
    for span in 501..=5_000 {
        writer.record(pool, &head(span), &attributes(span, 20));
    }
    backlog.retry();
    assert_eq!(send(&mut backlog, 10), in_flight);
}

#[test]
fn more_threads_than_segments_lose_nothing_that_fits() {
    let pool = pool(2);
    let barrier = Arc::new(std::sync::Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let barrier = barrier.clone();
            std::thread::spawn(move || {
                let mut writer = Thread::new();
                writer.record(pool, &head(thread * 10 + 1), &[]);
                barrier.wait();
                writer.record(pool, &head(thread * 10 + 2), &[]);
                barrier.wait();
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert!(pool.memory() <= 3 * SEGMENT);
    assert_eq!(drain(&mut Backlog::new(pool)).len(), 16);
}

/// The shared segment is in a request each time it is full.
#[test]
fn one_segment_at_most_is_beyond_the_bound() {
    let pool = pool(2);
    let mut idle = [Thread::new(), Thread::new()];
    for (writer, span) in idle.iter_mut().zip(1..) {
        writer.record(pool, &head(span), &[]);
    }
    let mut backlog = Backlog::new(pool);
    let mut sent = drain(&mut backlog).len() as u64;
    let mut recorded = 2;
    let mut writer = Thread::new();
    for _ in 0..50 {
        for _ in 0..3 {
            let before = send(&mut backlog, usize::MAX).len() as u64;
            for _ in 0..5 {
                recorded += 1;
                writer.record(pool, &head(recorded), &attributes(recorded, 3_000));
            }
            assert!(pool.memory() <= 3 * SEGMENT, "{}", pool.memory());
            backlog.acknowledge(Unsent::default(), false);
            sent += before;
        }
    }
    sent += drain(&mut backlog).len() as u64;
    let counts = pool.counts();
    assert_eq!(counts.sent, sent);
    assert_eq!(counts.sent + counts.dropped_full, recorded, "{counts:?}");
}

#[test]
fn threads_that_end_leave_their_spans_and_no_memory() {
    let pool = pool(64);
    let mut backlog = Backlog::new(pool);
    for round in 1..=200_u64 {
        std::thread::spawn(move || Thread::new().record(pool, &head(round), &attributes(round, 3)))
            .join()
            .unwrap();
        if round % 50 == 0 {
            assert_eq!(drain(&mut backlog).len(), 50);
            backlog.tick();
        }
    }
    assert!(pool.memory() <= 4 * SEGMENT, "{}", pool.memory());
}

#[test]
fn threads_one_after_the_other_share_segments() {
    let pool = pool(4);
    for span in 1..=1_000 {
        std::thread::spawn(move || Thread::new().record(pool, &head(span), &attributes(span, 3)))
            .join()
            .unwrap();
    }
    assert_eq!(drain(&mut Backlog::new(pool)).len(), 1_000);
    assert_eq!(pool.counts().dropped_full, 0);
}

#[test]
fn many_threads_that_end_at_once_give_their_memory_back() {
    let pool = pool(64);
    let barrier = Arc::new(std::sync::Barrier::new(32));
    let threads: Vec<_> = (1..=32)
        .map(|span| {
            let barrier = barrier.clone();
            std::thread::spawn(move || {
                let mut writer = Thread::new();
                writer.record(pool, &head(span), &[]);
                barrier.wait();
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let mut backlog = Backlog::new(pool);
    assert_eq!(drain(&mut backlog).len(), 32);
    backlog.tick();
    assert!(pool.memory() <= 4 * SEGMENT, "{}", pool.memory());
}

#[test]
fn idle_threads_leave_room_for_busy_ones() {
    let pool = pool(64);
    let (stop, idle) = std::sync::mpsc::channel::<()>();
    let idle = Arc::new(std::sync::Mutex::new(idle));
    let (ready, readies) = std::sync::mpsc::channel();
    let threads: Vec<_> = (1..=200)
        .map(|span| {
            let (idle, ready) = (idle.clone(), ready.clone());
            std::thread::spawn(move || {
                let mut writer = Thread::new();
                writer.record(pool, &head(span), &[]);
                ready.send(()).unwrap();
                let _ = idle.lock().unwrap().recv();
            })
        })
        .collect();
    (0..200).for_each(|_| readies.recv().unwrap());
    let mut backlog = Backlog::new(pool);
    assert_eq!(drain(&mut backlog).len(), 200);
    let mut writer = Thread::new();
    for span in 1_001..=3_000 {
        writer.record(pool, &head(span), &attributes(span, 20));
    }
    assert_eq!(drain(&mut backlog).len(), 2_000);
    assert_eq!(pool.counts().dropped_full, 0);
    drop(stop);
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn after_a_restart_old_segments_are_nobodys() {
    let pool = pool(4);
    let mut writer = Thread::new();
    writer.record(pool, &head(1), &[]);
    pool.close();
    writer.record(pool, &head(2), &[]);
    assert_eq!(pool.counts().dropped_stopped, 2);
    pool.open(4 * SEGMENT, 500, || ());
    writer.record(pool, &head(3), &[]);
    assert_eq!(drain(&mut Backlog::new(pool)), [3]);
}

#[test]
fn the_agent_thread_is_woken_when_as_many_wait_as_it_was_told() {
    static WOKEN: AtomicUsize = AtomicUsize::new(0);
    let mut early = 0;
    for wake_at in [1_000, 500] {
        let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
        pool.open(1 << 20, wake_at, || {
            WOKEN.fetch_add(1, Ordering::Relaxed);
        });
        WOKEN.store(0, Ordering::Relaxed);
        let mut writer = Thread::new();
        let mut spans = 0;
        while WOKEN.load(Ordering::Relaxed) == 0 {
            spans += 1;
            writer.record(pool, &head(spans), &[]);
            assert!(spans < 3_000, "not woken");
        }
        assert!(spans > wake_at as u64, "woken with {spans}");
        assert_ne!(spans, early);
        early = spans;
    }
}

/// Writers that come and go, a reader that fails now and then, a bound that is
/// too low: every span is sent once, or counted as dropped, and none is torn.
#[test]
fn under_stress_recorded_is_sent_plus_dropped() {
    const THREADS: u64 = 8;
    let each: u64 = if cfg!(miri) { 300 } else { 30_000 };
    let pool = pool(12);
    let done = Arc::new(AtomicBool::new(false));
    let reader = std::thread::spawn({
        let done = done.clone();
        move || {
            let mut backlog = Backlog::new(pool);
            let (mut seen, mut round) = (HashMap::new(), 0_u64);
            loop {
                let last = done.load(Ordering::Acquire);
                let ids = send(&mut backlog, 700);
                round += 1;
                if round % 5 == 0 && !last {
                    backlog.retry();
                    continue;
                }
                let empty = ids.is_empty();
                for id in ids {
                    *seen.entry(id).or_insert(0) += 1;
                }
                backlog.acknowledge(Unsent::default(), false);
                if last && empty {
                    return seen;
                }
            }
        }
    });
    let writers: Vec<_> = (0..THREADS)
        .map(|thread| {
            std::thread::spawn(move || {
                let mut writer = Thread::new();
                for n in 0..each {
                    let span = thread * each + n + 1;
                    writer.record(pool, &head(span), &attributes(span, n as usize % 40));
                    if n % 5_000 == 4_999 {
                        writer = Thread::new();
                    }
                }
            })
        })
        .collect();
    writers
        .into_iter()
        .for_each(|writer| writer.join().unwrap());
    done.store(true, Ordering::Release);
    let seen = reader.join().unwrap();
    assert!(
        seen.values().all(|times| *times == 1),
        "a span was sent twice"
    );
    let counts = pool.counts();
    assert_eq!(counts.sent, seen.len() as u64);
    assert_eq!(
        counts.sent + counts.dropped_full,
        THREADS * each,
        "{counts:?}"
    );
}

/// Threads come and go, more at once than there are segments.
#[test]
fn with_many_threads_the_bound_holds_and_every_span_is_accounted_for() {
    const THREADS: u64 = 64;
    let (rounds, each) = if cfg!(miri) { (1, 20) } else { (10, 200) };
    let pool = pool(24);
    let done = Arc::new(AtomicBool::new(false));
    let reader = std::thread::spawn({
        let done = done.clone();
        move || {
            let mut backlog = Backlog::new(pool);
            let (mut seen, mut round) = (HashMap::new(), 0_u64);
            loop {
                let last = done.load(Ordering::Acquire);
                let ids = send(&mut backlog, 1_000);
                let empty = ids.is_empty();
                round += 1;
                match round % 7 {
                    3 if !last => backlog.retry(),
                    _ => {
                        for id in ids {
                            *seen.entry(id).or_insert(0) += 1;
                        }
                        backlog.acknowledge(Unsent::default(), false);
                    }
                }
                backlog.tick();
                assert!(pool.memory() <= 25 * SEGMENT, "{}", pool.memory());
                if last && empty {
                    return seen;
                }
            }
        }
    });
    for round in 0..rounds {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                std::thread::spawn(move || {
                    let mut writer = Thread::new();
                    for n in 0..each {
                        let span = (round * THREADS + thread) * each + n + 1;
                        writer.record(pool, &head(span), &attributes(span, n as usize * 7 % 300));
                    }
                })
            })
            .collect();
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
    }
    done.store(true, Ordering::Release);
    let seen = reader.join().unwrap();
    assert!(
        seen.values().all(|times| *times == 1),
        "a span was sent twice"
    );
    let counts = pool.counts();
    assert_eq!(counts.sent, seen.len() as u64);
    assert_eq!(
        counts.sent + counts.dropped_full,
        THREADS * rounds * each,
        "{counts:?}"
    );
    assert_eq!(counts.waiting, 0);
    assert_eq!(pool.lock().drift(), 0);
}

#[test]
fn a_portion_does_not_grow_with_its_segment() {
    let pool = pool(4);
    let mut thread = Thread::new();
    thread.record(pool, &head(1), &attributes(1, 3));
    let portions = Backlog::new(pool).portions(10).list;
    let before = portions[0].bytes().to_vec();
    thread.record(pool, &head(2), &attributes(2, 3));
    assert_eq!(portions[0].bytes(), before);
}

/// Old segments are in the request while their threads go on: what comes back stands in
/// front of what was filled meanwhile.
#[test]
fn the_order_holds_when_segments_fill_up_while_they_are_in_a_request() {
    let pool = pool(16);
    let (mut writer, mut backlog) = (Thread::new(), Backlog::new(pool));
    let mut span = 0;
    let mut record = |spans: u64| {
        for _ in 0..spans {
            span += 1;
            writer.record(pool, &head(span), &attributes(span, 100));
        }
    };
    record(150);
    for round in 0..5 {
        let first = send(&mut backlog, 40);
        record(150);
        if round % 2 == 0 {
            backlog.retry();
            assert_eq!(send(&mut backlog, 40), first, "the same ones again");
        }
        backlog.acknowledge(Unsent::default(), false);
    }
    let rest = drain(&mut backlog);
    assert_eq!(rest, (201..=900).collect::<Vec<_>>());
    assert_eq!(pool.counts().sent, 900);
    assert_eq!(pool.lock().drift(), 0);
}

#[test]
fn what_a_request_was_begun_with_and_given_up_is_sent_all_the_same() {
    let pool = pool(8);
    let (mut writer, mut backlog) = (Thread::new(), Backlog::new(pool));
    for span in 1..=2_000 {
        writer.record(pool, &head(span), &attributes(span, 5));
    }
    // A panic, before it was said what is in the request.
    drop(backlog.portions(1_000));
    assert_eq!(drain(&mut backlog).len(), 2_000);
    // The request was written, and nobody said what became of it.
    writer.record(pool, &head(1), &[]);
    assert_eq!(send(&mut backlog, 10), [1]);
    assert_eq!(drain(&mut backlog), [1]);
}

#[test]
fn the_segment_of_a_thread_that_outlived_its_tracer_is_dropped() {
    let pool = pool(4);
    let mut writer = Thread::new();
    writer.record(pool, &head(1), &[]);
    pool.close();
    pool.open(4 * SEGMENT, 500, || ());
    let before = pool.memory();
    drop(writer);
    assert_eq!(pool.memory(), before);
    let mut next = Thread::new();
    next.record(pool, &head(2), &[]);
    assert_eq!(drain(&mut Backlog::new(pool)), [2]);
}

/// Time that tidying up takes with the segments of so many threads that have ended.
fn tidying(threads: u64) -> std::time::Duration {
    let pool = pool(threads as usize);
    let mut writers: Vec<_> = (0..threads).map(|_| Thread::new()).collect();
    for (writer, span) in writers.iter_mut().zip(1..) {
        writer.record(pool, &head(span), &[]);
    }
    drop(writers);
    let begin = std::time::Instant::now();
    Backlog::new(pool).tick();
    let took = begin.elapsed();
    assert_eq!(pool.counts().waiting, threads);
    pool.close();
    took
}

#[cfg_attr(miri, ignore = "it measures time")]
#[test]
fn the_time_of_tidying_up_grows_as_the_number_of_threads_does() {
    let best = |threads| (0..5).map(|_| tidying(threads)).min().unwrap();
    let (few, many) = (best(500), best(16_000));
    // 32 times as many; with all pairs of them it would be a thousand times as long.
    assert!(many < 250 * few, "{few:?} for 500, {many:?} for 16,000");
}

#[test]
fn segments_come_and_go_by_the_thousand() {
    let pool = pool(1_000);
    let mut backlog = Backlog::new(pool);
    for round in 0..3 {
        let mut writers: Vec<_> = (0..3_000).map(|_| Thread::new()).collect();
        for (writer, span) in writers.iter_mut().zip(1..) {
            writer.record(pool, &head(span), &attributes(span, 2));
        }
        drop(writers);
        assert_eq!(pool.counts().waiting, 3_000, "round {round}");
        let mut ids = drain(&mut backlog);
        ids.sort_unstable();
        assert_eq!(ids, (1..=3_000).collect::<Vec<_>>());
        backlog.tick();
        assert!(pool.memory() <= 4 * SEGMENT, "{}", pool.memory());
        assert!(!backlog.pending());
    }
}
