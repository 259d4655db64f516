//! What the first stack of a process takes: little memory, whatever the size of the
//! program. A test alone in its process, for the allocator counts all of it.
#![cfg(target_os = "linux")]
#![expect(
    unsafe_code,
    clippy::unwrap_used,
    reason = "a global allocator that counts, and a test that ends where it meets something unexpected"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use instana::span::Kind;
use instana::testing::Recorder;
use instana::{StackTraces, exit_span};

/// Bytes that are allocated, and the most that were at a time.
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: all of it is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes of the heap while the stack of an exit is made, and behind that.
fn stack_of(recorder: &Recorder, make: fn()) -> (usize, usize) {
    recorder.enter_entry(make);
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let exit = recorder.span("sdk", Kind::Exit);
    assert!(exit.json().contains("stack_memory::"), "{}", exit.json());
    let peak = PEAK.load(Relaxed) - before;
    drop(exit);
    recorder.clear();
    (peak, LIVE.load(Relaxed).saturating_sub(before))
}

/// Bytes of files that are counted as memory of this process.
fn files_in_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssFile:"));
    let kilobytes: usize = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kilobytes << 10
}

#[test]
fn the_first_stack_takes_little_memory() {
    const MIB: usize = 1 << 20;
    let recorder = Recorder::builder().stack_trace(StackTraces::All).build();
    let program = fs::metadata("/proc/self/exe").unwrap().len();
    assert!(
        program > 10 * MIB as u64,
        "as large as that of a service: {program}"
    );
    let files = files_in_memory();
    let (peak, kept) = stack_of(&recorder, || exit_span("first").end());
    let files = files_in_memory().saturating_sub(files);
    eprintln!("program {program}, peak {peak}, kept {kept}, files {files}");
    assert!(peak < 2 * MIB, "{peak}");
    assert!(kept < 2 * MIB, "{kept}");
    assert!(files < 2 * MIB, "{files}");
    for _ in 0..100 {
        let (peak, kept) = stack_of(&recorder, || exit_span("next").end());
        assert!(peak < 2 * MIB && kept < MIB / 2, "{peak} {kept}");
    }
}
