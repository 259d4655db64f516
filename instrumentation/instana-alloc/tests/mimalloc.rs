//! A process whose allocator is mimalloc.

use instana::metrics::{Readings, Source};
use instana_alloc::Mimalloc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BLOCK: usize = 100 << 20;

fn sample(name: &str) -> f64 {
    let mut readings = Readings::default();
    Mimalloc.sample(&mut readings);
    let reading = readings.get(name);
    reading.map_or(f64::NAN, instana::metrics::Number::float)
}

#[test]
fn a_hundred_megabytes_are_seen() {
    let before = sample("peak");
    let block = std::hint::black_box(vec![1_u8; BLOCK]);
    let (mapped, peak) = (sample("mapped"), sample("peak"));
    assert!(mapped >= BLOCK as f64, "{mapped}");
    assert!(peak - before >= BLOCK as f64 / 2.0, "{before} {peak}");
    drop(block);
    let source = Mimalloc.register();
    assert_eq!(source.name(), "mimalloc");
    source.unregister();
}
