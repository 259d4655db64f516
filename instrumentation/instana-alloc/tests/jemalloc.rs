//! A process whose allocator is jemalloc.

use instana::metrics::{Readings, Source};
use instana_alloc::Jemalloc;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const BLOCK: usize = 100 << 20;

fn sample() -> Readings {
    let mut readings = Readings::default();
    Jemalloc.sample(&mut readings);
    readings
}

#[test]
fn a_hundred_megabytes_are_seen() {
    let before = sample();
    let block = std::hint::black_box(vec![1_u8; BLOCK]);
    let after = sample();
    for name in ["in_use", "active", "resident", "mapped"] {
        let of = |readings: &Readings| readings.get(name).map(instana::metrics::Number::float);
        let grown = of(&after)
            .zip(of(&before))
            .map(|(after, before)| after - before);
        let block = BLOCK as f64;
        assert!(
            grown.is_some_and(|grown| (block..block * 1.1).contains(&grown)),
            "{name}: {grown:?}"
        );
    }
    drop(block);
    let source = Jemalloc.register();
    assert_eq!(source.name(), "jemalloc");
    source.unregister();
}
