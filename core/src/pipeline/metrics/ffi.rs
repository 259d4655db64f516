//! The system calls of the sampler on Unix.
#![expect(
    unsafe_code,
    reason = "std has no getrusage, getrlimit and sysconf; each call below has no preconditions but the size of its result"
)]

use std::mem::MaybeUninit;
use std::time::Duration;

use crate::pipeline::metrics::sample::Usage;

/// The unit of `ru_maxrss` in bytes, see getrusage(2).
const PEAK_UNIT: u64 = if cfg!(any(target_os = "macos", target_os = "ios")) {
    1
} else {
    1024
};

/// What all threads of the process have used so far.
pub(super) fn usage() -> Option<Usage> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is valid for writes of one `rusage`.
    let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: `rusage` is made of integers, for which zero is a value; the call
    // has succeeded and filled it in.
    let usage = unsafe { usage.assume_init() };
    Some(Usage {
        user: duration(usage.ru_utime)?,
        system: duration(usage.ru_stime)?,
        peak: u64::try_from(usage.ru_maxrss)
            .ok()?
            .checked_mul(PEAK_UNIT)?,
        minor_faults: u64::try_from(usage.ru_minflt).ok()?,
        major_faults: u64::try_from(usage.ru_majflt).ok()?,
        voluntary: u64::try_from(usage.ru_nvcsw).ok()?,
        involuntary: u64::try_from(usage.ru_nivcsw).ok()?,
    })
}

/// The soft limit of open files; absent where there is none.
pub(super) fn open_files_limit() -> Option<u64> {
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: the pointer is valid for writes of one `rlimit`.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: `rlimit` is made of integers, for which zero is a value; the call
    // has succeeded and filled it in.
    let limit = unsafe { limit.assume_init() }.rlim_cur;
    if limit == libc::RLIM_INFINITY {
        return None;
    }
    // By way of a type that holds `rlim_t` of every platform.
    u64::try_from(i128::from(limit)).ok()
}

/// Bytes of a page of memory.
#[cfg(target_os = "linux")]
pub(super) fn page_size() -> Option<u64> {
    // SAFETY: `sysconf` has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).ok().filter(|size| *size > 0)
}

/// The unit of times in `/proc`.
#[cfg(target_os = "linux")]
pub(super) fn ticks_per_second() -> Option<u64> {
    // SAFETY: `sysconf` has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|ticks| *ticks > 0)
}

/// Bytes of the C heap: in use, and taken from the system. Stops the application while
/// it walks all free chunks. `None` where the C library has no such function, or where
/// another allocator has taken the place of its own (one that is preloaded or linked for
/// `malloc`, a sanitizer's): of that glibc knows nothing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn c_heap() -> Option<(u64, u64)> {
    // It is there since glibc 2.33: looked up, so that the program starts with others.
    let function = symbol(c"mallinfo2")?;
    let glibc = object_of(symbol(c"gnu_get_libc_version")?)?;
    let is_glibc = |function| object_of(function) == Some(glibc);
    if !is_glibc(function) || !is_glibc(symbol(c"malloc")?) {
        return None;
    }
    type Mallinfo2 = extern "C" fn() -> libc::mallinfo2;
    // SAFETY: the function of that name in glibc has this type (mallinfo(3)).
    let function = unsafe { std::mem::transmute::<*mut libc::c_void, Mallinfo2>(function) };
    let info = function();
    let bytes = |count: usize| count as u64;
    let mapped_alone = bytes(info.hblkhd);
    Some((
        bytes(info.uordblks).saturating_add(mapped_alone),
        bytes(info.arena).saturating_add(mapped_alone),
    ))
}

/// The function that the process calls by a name.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn symbol(name: &std::ffi::CStr) -> Option<*mut libc::c_void> {
    // SAFETY: the name ends with a zero; RTLD_DEFAULT is always valid.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!function.is_null()).then_some(function)
}

/// Where the program or library is loaded that a function is in.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn object_of(function: *mut libc::c_void) -> Option<usize> {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the pointer is valid for writes of one `Dl_info`; any address may be asked for.
    let is_known = unsafe { libc::dladdr(function, info.as_mut_ptr()) } != 0;
    // SAFETY: it is made of pointers, which may be null.
    let info = unsafe { info.assume_init() };
    is_known.then_some(info.dli_fbase as usize)
}

/// Only glibc has it.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn c_heap() -> Option<(u64, u64)> {
    None
}

fn duration(time: libc::timeval) -> Option<Duration> {
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let micros = u64::try_from(time.tv_usec).ok()?;
    Duration::from_secs(seconds).checked_add(Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_only_grow() {
        let before = usage().unwrap();
        let text: String = (0..100_000).map(|n| n.to_string()).collect();
        std::hint::black_box(text);
        let after = usage().unwrap();
        assert!(after.user + after.system > before.user + before.system);
        assert!(after.peak >= before.peak);
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn the_heap_of_c_holds_what_was_allocated() {
        let object = |name| symbol(name).and_then(object_of);
        let Some((before, _)) = c_heap() else {
            let is_old = symbol(c"mallinfo2").is_none();
            // As a sanitizer's.
            let is_other = object(c"malloc") != object(c"gnu_get_libc_version");
            assert!(is_old || is_other, "glibc has a heap");
            return;
        };
        let block = std::hint::black_box(vec![1_u8; 100 << 20]);
        let (after, mapped) = c_heap().unwrap();
        assert!(after >= before + (90 << 20), "{before} {after}");
        assert!(mapped >= after);
        drop(block);
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn functions_are_in_what_defines_them() {
        let of_glibc = symbol(c"gnu_get_libc_version").and_then(object_of);
        assert!(of_glibc.is_some());
        assert_eq!(
            symbol(c"gnu_get_libc_release").and_then(object_of),
            of_glibc
        );
        let own = usage as fn() -> Option<Usage> as *mut libc::c_void;
        assert!(object_of(own).is_some_and(|own| Some(own) != of_glibc));
        assert_eq!(symbol(c"no function has this name"), None);
    }

    #[test]
    fn negative_times_are_no_times() {
        let time = libc::timeval {
            tv_sec: -1,
            tv_usec: 0,
        };
        assert_eq!(duration(time), None);
    }
}
