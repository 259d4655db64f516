//! What the kernel says about this process and its threads.

use std::fs;

/// CPU time of the calling thread in nanoseconds.
pub(crate) fn thread_cpu() -> u64 {
    cpu_of("/proc/thread-self/schedstat")
}

/// CPU time of all other threads of the process in nanoseconds: those alive.
pub(crate) fn others_cpu() -> u64 {
    let own = std::process::id().to_string();
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        return 0;
    };
    threads
        .flatten()
        .filter(|thread| thread.file_name().to_str() != Some(own.as_str()))
        .map(|thread| cpu_of(&thread.path().join("schedstat").to_string_lossy()))
        .sum()
}

fn cpu_of(path: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|time| time.parse().ok())
        .unwrap_or_default()
}

/// Resident memory now, in KiB.
pub(crate) fn resident() -> u64 {
    field("VmRSS:")
}

/// The most resident memory so far, in KiB.
pub(crate) fn resident_peak() -> u64 {
    field("VmHWM:")
}

fn field(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default()
}

/// CPU time of all threads of the process, ended ones included, in
/// nanoseconds. The kernel counts it in hundredths of a second.
pub(crate) fn process_cpu() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    ticks * 10_000_000
}
