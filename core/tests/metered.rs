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

    let spans = agent.wait_for_spans(1, LONG).unwrap();
    let tags = &spans[0]["data"]["sdk"]["custom"]["tags"];
    let allocated = tags["allocated_bytes"].as_u64().unwrap();
    let expected = 10 * MEBIBYTE;
    assert!(
        (expected..expected + 64 * 1024).contains(&allocated),
        "{allocated}"
    );
    assert_eq!(tags.get("poll_count"), None, "nobody asked for times");
    drop((kept, guard));
    agent.assert_clean();
}
