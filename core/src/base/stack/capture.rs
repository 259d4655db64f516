//! The addresses of the calls on the stack, by the unwinder that panics use.
//!
//! Nothing is allocated and no lock of ours is taken. `backtrace::trace` would
//! take one for the whole process. The unwinder finds its tables without a lock
//! where glibc is 2.35 or later; before, and with musl, it takes the dynamic
//! loader's lock for a moment.
#![expect(
    unsafe_code,
    reason = "the unwinder is C, and std gives no access to addresses"
)]

use std::ffi::{c_int, c_void};

use crate::base::stack::address::Addresses;

// Both are of the Itanium C++ ABI; the standard library links the unwinder.
unsafe extern "C" {
    fn _Unwind_Backtrace(step: Step, addresses: *mut c_void) -> c_int;
    /// The address at which a frame goes on. `*is_exact` is not 0 where that is
    /// the interrupted instruction itself, as below a signal handler.
    fn _Unwind_GetIPInfo(frame: *mut c_void, is_exact: *mut c_int) -> usize;
}

type Step = extern "C" fn(frame: *mut c_void, addresses: *mut c_void) -> c_int;

/// `_URC_NO_REASON`
const GO_ON: c_int = 0;
/// `_URC_NORMAL_STOP`
const STOP: c_int = 4;

/// Fills `addresses` with the addresses of the calling code, innermost first.
#[inline(never)]
pub(crate) fn capture(addresses: &mut Addresses) {
    // SAFETY: `step` is called during this call only, with the pointer that is
    // given here, and nothing else has it meanwhile. The unwinder may be used by
    // all threads at once.
    unsafe { _Unwind_Backtrace(step, (&raw mut *addresses).cast()) };
}

/// Never unwinds: it only writes into memory that is there.
extern "C" fn step(frame: *mut c_void, addresses: *mut c_void) -> c_int {
    let mut is_exact = 0;
    // SAFETY: the unwinder gives a frame of its own, valid during this call.
    let address = unsafe { _Unwind_GetIPInfo(frame, &raw mut is_exact) };
    // SAFETY: it is what `capture` has given.
    let addresses = unsafe { &mut *addresses.cast::<Addresses>() };
    if address == 0 {
        return STOP;
    }
    let call = if is_exact == 0 { address - 1 } else { address };
    if addresses.push(call as u64) {
        GO_ON
    } else {
        STOP
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stack::address;

    #[inline(never)]
    fn nested(depth: usize, addresses: &mut Addresses) -> usize {
        if depth == 0 {
            capture(addresses);
            return 0;
        }
        1 + std::hint::black_box(nested(depth - 1, addresses))
    }

    #[test]
    fn every_call_is_there() {
        let mut addresses = Addresses::at_most(500);
        nested(100, &mut addresses);
        let all: Vec<u64> = address::read(addresses.as_bytes()).collect();
        assert!(all.len() > 100, "{}", all.len());
        assert!(all.iter().all(|address| *address != 0));
    }

    #[test]
    fn the_innermost_are_kept() {
        let (mut few, mut many) = (Addresses::at_most(5), Addresses::at_most(500));
        for addresses in [&mut few, &mut many] {
            nested(10, addresses);
        }
        // The first two are in `capture` itself and in its caller.
        assert_eq!(few.as_bytes().len(), 5 * 8);
        assert_eq!(few.as_bytes(), &many.as_bytes()[..5 * 8]);
    }

    /// Destructors of thread-locals run when little is left of the thread.
    #[test]
    fn a_thread_that_ends_has_a_stack() {
        struct AtEnd(std::sync::mpsc::Sender<usize>);
        impl Drop for AtEnd {
            fn drop(&mut self) {
                let mut addresses = Addresses::at_most(64);
                capture(&mut addresses);
                self.0.send(addresses.as_bytes().len()).unwrap();
            }
        }
        thread_local! {
            static AT_END: std::cell::RefCell<Option<AtEnd>> = const { std::cell::RefCell::new(None) };
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(|| AT_END.set(Some(AtEnd(sender))))
            .join()
            .unwrap();
        assert!(receiver.recv().unwrap() > 0);
    }
}
