//! Threads and memory that are refused when a case wants that.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// No thread is to be had.
pub(crate) static NO_THREADS: AtomicBool = AtomicBool::new(false);

/// How often one was asked for meanwhile.
pub(crate) static ASKED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// This thread gets no memory of so many bytes and more.
    pub(crate) static TOO_LARGE: Cell<usize> = const { Cell::new(usize::MAX) };
    /// As many more allocations of 256 bytes and more; the next one fails.
    pub(crate) static UNTIL_FAILURE: Cell<usize> = const { Cell::new(usize::MAX) };
}

type Start = extern "C" fn(*mut c_void) -> *mut c_void;
type Create =
    unsafe extern "C" fn(*mut libc::pthread_t, *const c_void, Start, *mut c_void) -> c_int;

/// In front of libc's.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const c_void,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    if NO_THREADS.load(Ordering::SeqCst) {
        ASKED.fetch_add(1, Ordering::SeqCst);
        return libc::EAGAIN;
    }
    // SAFETY: the name ends with a zero; the next symbol of that name is libc's function.
    unsafe {
        let next = libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr());
        let create = std::mem::transmute::<*mut c_void, Create>(next);
        create(thread, attributes, start, argument)
    }
}

struct Refusing;

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

impl Refusing {
    fn refuses(size: usize) -> bool {
        if size >= TOO_LARGE.get() {
            return true;
        }
        let left = UNTIL_FAILURE.get();
        if size < 256 || left == usize::MAX {
            return false;
        }
        UNTIL_FAILURE.set(left.wrapping_sub(1));
        left == 0
    }
}

// SAFETY: all is the system's allocator, or nothing.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if Self::refuses(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if Self::refuses(size) {
            return std::ptr::null_mut();
        }
        // SAFETY: as the caller says.
        unsafe { System.realloc(memory, layout, size) }
    }
}
