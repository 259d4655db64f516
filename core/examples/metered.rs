//! What [`instana::alloc::Metered`] adds to an allocation: pairs of an allocation and
//! its end, through the system's allocator with it and without, in turns.
//!
//! `cargo run --release -p instana --example metered`
#![expect(
    unsafe_code,
    reason = "an allocator is called by hand, so that the same program has both"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::time::Instant;

use instana::alloc::Metered;

const PAIRS: u32 = 1_000_000;
const ROUNDS: usize = 21;

static METERED: Metered<System> = Metered::new(System);

fn main() {
    let (mut plain, mut metered) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        plain.push(nanos(&System));
        metered.push(nanos(&METERED));
    }
    let (plain, metered) = (median(plain), median(metered));
    println!("allocation and deallocation: {plain:.1} ns, metered {metered:.1} ns");
    println!(
        "added to each of the two: {:.1} ns",
        (metered - plain) / 2.0
    );
}

/// Of one pair.
fn nanos(allocator: &impl GlobalAlloc) -> f64 {
    let layout = Layout::new::<[u64; 8]>();
    let begin = Instant::now();
    for _ in 0..PAIRS {
        // SAFETY: the layout is not empty; what was allocated is freed with it, once.
        unsafe {
            let memory = black_box(allocator.alloc(black_box(layout)));
            allocator.dealloc(memory, layout);
        }
    }
    begin.elapsed().as_nanos() as f64 / f64::from(PAIRS)
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds.get(ROUNDS / 2).copied().unwrap_or_default()
}
