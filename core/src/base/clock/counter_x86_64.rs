//! The time-stamp counter of x86-64: 10 ns a reading against 22 for `Instant`.
#![expect(
    unsafe_code,
    reason = "rdtsc and cpuid are intrinsics; every span reads the clock twice"
)]

use std::arch::x86_64::{__cpuid, _rdtsc};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

/// 0: not looked yet; 1: the counter; 2: `Instant`.
static SOURCE: AtomicU8 = AtomicU8::new(0);

#[inline]
pub(super) fn ticks() -> u64 {
    if SOURCE.load(Ordering::Relaxed) == 1 {
        // SAFETY: every x86-64 processor has `rdtsc`; where a system forbids it,
        // `trusted` chose the other clock.
        unsafe { _rdtsc() }
    } else {
        other_ticks()
    }
}

#[cold]
fn other_ticks() -> u64 {
    if SOURCE.load(Ordering::Relaxed) == 0 {
        SOURCE.store(if trusted() { 1 } else { 2 }, Ordering::Relaxed);
        return ticks();
    }
    static BASE: OnceLock<Instant> = OnceLock::new();
    BASE.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// The counter runs at one rate in all power states, and Linux, which watches
/// it for drift between processors, uses it as its own clock.
fn trusted() -> bool {
    const POWER_MANAGEMENT: u32 = 0x8000_0007;
    const INVARIANT: u32 = 1 << 8;
    #[expect(
        unused_unsafe,
        reason = "safe in newer compilers, unsafe in the oldest supported one"
    )]
    // SAFETY: `cpuid` exists on every x86-64 processor.
    let invariant = unsafe {
        __cpuid(0x8000_0000).eax >= POWER_MANAGEMENT
            && __cpuid(POWER_MANAGEMENT).edx & INVARIANT != 0
    };
    invariant && system_uses_it()
}

#[cfg(target_os = "linux")]
fn system_uses_it() -> bool {
    const PATH: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    std::fs::read_to_string(PATH).is_ok_and(|name| name.trim() == "tsc")
}

#[cfg(not(target_os = "linux"))]
fn system_uses_it() -> bool {
    true
}
