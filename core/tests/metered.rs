//! A process whose global allocator is metered, as its agent sees it.

use std::alloc::System;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use instana::FutureExt;
use instana::alloc::Metered;
use instana_dev_agent::{Config, DevAgent};

#[global_allocator]
static ALLOCATOR: Metered<System> = Metered::new(System);

const LONG: Duration = Duration::from_secs(30);
const MEBIBYTE: u64 = 1 << 20;

#[test]
fn what_is_allocated_is_in_the_metrics_and_in_the_entry() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let builder = instana::builder().agent(&agent.addr().to_string());
    let guard = builder.init().unwrap();
    let pid = u64::from(std::process::id());
    let heap = |count: u64| {
        let all = agent.wait_for_metrics(pid, count, LONG).unwrap();
        all[all.len() - 1]["metrics"]["heap"].clone()
    };
    let before = heap(1);
    // 100 MiB stay, in 1,000 pieces; two polls of 5 MiB are an entry's.
    let kept: Vec<Vec<u8>> = (0..1_000).map(|_| vec![1; 100 << 10]).collect();
    let mut polls = 0;
    let future = poll_fn(|_| {
        polls += 1;
        drop(black_box(vec![1_u8; 5 << 20]));
        if polls == 2 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    {
        let mut future = pin!(future.in_span(instana::entry_span("job")));
        let mut context = Context::from_waker(Waker::noop());
        while future.as_mut().poll(&mut context).is_pending() {
            drop(black_box(vec![1_u8; 3 << 20]));
        }
    }
    let count = agent.view(|view| view.metrics(pid)).len() as u64;
    let after = heap(count + 2);
    let grown = |name: &str| after[name].as_u64().unwrap() - before[name].as_u64().unwrap();
    let live = grown("live");
    let expected = 1_000 * (100 << 10);
    assert!(
        (expected..expected + 4 * MEBIBYTE).contains(&live),
        "{live}"
    );
    assert!(grown("allocated") >= expected + 13 * MEBIBYTE);
    assert!(grown("liveObjects") >= 1_000);
    assert!(grown("allocations") >= 1_003);
    assert!(grown("deallocations") >= 3);

    // Another, that is no future, and goes on in one.
    let mut other = instana::entry_span("other");
    other.enter(|| drop(black_box(vec![1_u8; 4 << 20])));
    drop(black_box(vec![1_u8; 3 << 20]));
    let mut context = Context::from_waker(Waker::noop());
    other.enter_poll(&mut context, |_| drop(black_box(vec![1_u8; 6 << 20])));
    other.end();
    instana::entry_span("closure").enter(|| drop(black_box(vec![1_u8; 10 << 20])));
    instana::entry_span("nothing").end();

    let spans = agent.wait_for_spans(4, LONG).unwrap();
    for span in spans {
        let sdk = &span["data"]["sdk"];
        let tags = &sdk["custom"]["tags"];
        assert_eq!(tags.get("poll_count"), None, "nobody asked for times");
        let allocated = tags["allocated_bytes"].as_u64();
        if sdk["name"] == "nothing" {
            assert_eq!(allocated, None, "nothing ran in it");
            continue;
        }
        let expected = 10 * MEBIBYTE..10 * MEBIBYTE + 64 * 1024;
        assert!(
            allocated.is_some_and(|bytes| expected.contains(&bytes)),
            "{span}"
        );
    }
    drop((kept, guard));
    agent.assert_clean();
}
