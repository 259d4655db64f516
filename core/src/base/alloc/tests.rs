use std::alloc::System;

use crate::base::alloc::*;

/// By hand: the test's own allocator is not metered.
static ALLOCATOR: Metered<System> = Metered::new(System);

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

/// One test: the counters are those of the process.
#[test]
fn every_byte_is_counted_once_by_threads_that_come_and_go() {
    assert_eq!(counts(), None);
    let before = Counts::default();
    let work = || {
        // SAFETY: what was allocated is freed with the layout that it has by then.
        unsafe {
            let memory = ALLOCATOR.alloc(layout(100));
            let zeroed = ALLOCATOR.alloc_zeroed(layout(50));
            assert_eq!(*zeroed, 0);
            let memory = ALLOCATOR.realloc(memory, layout(100), 300);
            ALLOCATOR.dealloc(memory, layout(300));
            // 50 bytes stay.
            let _ = zeroed;
        }
    };
    assert_eq!(allocated_by_thread(), None);
    work();
    work();
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        // The first allocation of a thread is counted with those of others.
        assert_eq!(allocated_by_thread(), Some(800));
        assert!(are_threads_metered());
    }
    const THREADS: u64 = 600;
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    // More at a time than there are slots.
    std::thread::scope(|scope| {
        for _ in 0..THREADS / 2 {
            scope.spawn(|| {
                work();
                let _ = wait.lock().unwrap().recv();
            });
        }
        drop(release);
    });
    for _ in 0..THREADS / 2 {
        std::thread::scope(|scope| {
            scope.spawn(work);
        });
    }
    let runs = THREADS + 2;
    let after = counts().unwrap();
    assert_eq!(after.allocations - before.allocations, 3 * runs);
    assert_eq!(after.allocated - before.allocated, 450 * runs);
    assert_eq!(after.deallocations - before.deallocations, 2 * runs);
    assert_eq!(after.live() - before.live(), 50 * runs);
    assert_eq!(after.live_objects(), runs);
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    assert!(threads::taken() < 10, "threads that ended gave theirs back");
}
