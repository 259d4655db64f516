//! The sampler on Linux.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::pipeline::metrics::cgroup;
use crate::pipeline::metrics::ffi;
use crate::pipeline::metrics::open_file::OpenFile;
use crate::pipeline::metrics::procfs;
use crate::pipeline::metrics::sample::{CpuClock, Memory, Sample};

const PROC: &str = "/proc/self";

/// Enough for `/proc/self/stat` and `statm`.
const BUFFER: usize = 1024;

/// Bytes of `/proc/stat` that are read at most.
const MAX_STAT: u64 = 4 * 1024 * 1024;

/// What the kernel knows of a process.
#[derive(Debug)]
struct Files {
    stat: OpenFile,
    statm: OpenFile,
    /// One link for each thread.
    task: OpenFile,
    /// One for each open file.
    fd: OpenFile,
}

impl Files {
    fn of(process: &Path) -> Self {
        Self {
            stat: OpenFile::new(process.join("stat")),
            statm: OpenFile::new(process.join("statm")),
            task: OpenFile::new(process.join("task")),
            fd: OpenFile::new(process.join("fd")),
        }
    }
}

#[derive(Debug)]
pub(super) struct Sampler {
    files: Files,
    cpu: CpuClock,
    threads: Threads,
    open_files: OpenFiles,
    /// Looked for by the first sample, on the agent thread.
    cgroup: Option<cgroup::Reader>,
    open_files_limit: Limit,
    /// Bytes.
    page: Option<u64>,
    buffer: Box<[u8; BUFFER]>,
}

impl Sampler {
    pub(super) fn new(now: Instant) -> Self {
        Self::of(Path::new(PROC), now)
    }

    fn of(process: &Path, now: Instant) -> Self {
        Self {
            files: Files::of(process),
            cpu: CpuClock::new(now, ffi::usage()),
            threads: Threads::default(),
            open_files: OpenFiles::default(),
            cgroup: None,
            open_files_limit: Limit::default(),
            page: ffi::page_size(),
            buffer: Box::new([0; BUFFER]),
        }
    }

    /// One file, the files of the control group, the `stat` of two folders, one system
    /// call.
    pub(super) fn sample(&mut self, now: Instant) -> Sample {
        let usage = ffi::usage();
        let cgroup = self.cgroup.get_or_insert_with(|| cgroup::Reader::new(now));
        let buffer = self.buffer.as_mut_slice();
        let threads = self.threads.count(&mut self.files, buffer);
        let pages = self.files.statm.read(buffer).and_then(procfs::statm);
        let memory = pages
            .zip(self.page)
            .map(|([total, resident, shared], page)| Memory {
                total: total.saturating_mul(page),
                resident: resident.saturating_mul(page),
                shared: shared.saturating_mul(page),
            });
        Sample {
            cpu: usage.and_then(|usage| self.cpu.load(now, usage)),
            memory,
            threads,
            open_files: self.open_files.count(&mut self.files.fd, now),
            open_files_limit: self.open_files_limit.read(now),
            usage,
            cgroup: cgroup.read(now),
            ..Sample::default()
        }
    }
}

/// The limit of open files: read every 10 s, for few programs change it and none
/// often.
#[derive(Debug, Default)]
struct Limit {
    limit: Option<u64>,
    next: Option<Instant>,
}

impl Limit {
    fn read(&mut self, now: Instant) -> Option<u64> {
        if self.next.is_none_or(|next| now >= next) {
            self.limit = ffi::open_files_limit();
            self.next = Some(now + Duration::from_secs(10));
        }
        self.limit
    }
}

/// When the process started, milliseconds since the epoch, to about 10 ms.
pub(super) fn start_time() -> Option<u64> {
    let mut stat = OpenFile::new(Path::new(PROC).join("stat"));
    let start = procfs::stat(stat.read(&mut [0; BUFFER])?)?.start;
    let mut text = Vec::new();
    let file = File::open("/proc/stat").ok()?;
    file.take(MAX_STAT).read_to_end(&mut text).ok()?;
    let boot = procfs::boot_time(&text)?;
    let since_boot = start
        .checked_mul(1000)?
        .checked_div(ffi::ticks_per_second()?)?;
    boot.checked_mul(1000)?.checked_add(since_boot)
}

/// The number of threads: the links of a folder that has one for each. The
/// file that tells it too takes three system calls, in which the kernel adds up
/// the times of all threads.
#[derive(Debug, Default)]
struct Threads {
    /// Whether the links do tell it, once it is known.
    are_links: Option<bool>,
}

impl Threads {
    fn count(&mut self, files: &mut Files, buffer: &mut [u8]) -> Option<u64> {
        match self.are_links {
            Some(true) => links(&mut files.task),
            Some(false) => told(&mut files.stat, buffer),
            None => {
                let before = links(&mut files.task);
                let threads = told(&mut files.stat, buffer)?;
                // One that started or ended meanwhile: look again next time.
                if before == links(&mut files.task) {
                    self.are_links = Some(before == Some(threads));
                    files.stat.close();
                }
                Some(threads)
            }
        }
    }
}

/// Threads, if the links of their folder tell: it has two of its own.
fn links(task: &mut OpenFile) -> Option<u64> {
    task.metadata()?.nlink().checked_sub(2)
}

/// Threads, by the process's `stat`.
fn told(stat: &mut OpenFile, buffer: &mut [u8]) -> Option<u64> {
    Some(procfs::stat(stat.read(buffer)?)?.threads)
}

/// The number of open files. Linux 6.2 and later tell it as the size of the
/// folder; before, it takes a listing, and the last one stays in force.
#[derive(Debug, Default)]
struct OpenFiles {
    listed: Option<Listed>,
}

#[derive(Clone, Copy, Debug)]
struct Listed {
    count: Option<u64>,
    next: Instant,
}

impl OpenFiles {
    fn count(&mut self, folder: &mut OpenFile, now: Instant) -> Option<u64> {
        let size = folder.metadata()?.len();
        if size > 0 {
            return Some(size);
        }
        match self.listed {
            Some(listed) if now < listed.next => listed.count,
            _ => {
                let listed = list(folder.path(), now);
                self.listed = Some(listed);
                listed.count
            }
        }
    }
}

/// Every 10 s, and where there are very many files for at most a thousandth
/// of the time.
fn list(folder: &Path, now: Instant) -> Listed {
    let begin = Instant::now();
    // The folder itself is open meanwhile.
    let count = fs::read_dir(folder)
        .ok()
        .and_then(|files| u64::try_from(files.count()).ok()?.checked_sub(1));
    let pause = begin.elapsed().saturating_mul(1000);
    Listed {
        count,
        next: now + pause.clamp(Duration::from_secs(10), Duration::from_secs(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_this_process_is_complete() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        let files: Vec<_> = (0..20)
            .map(|_| File::open("/proc/self/stat").unwrap())
            .collect();
        let sample = sampler.sample(start + Duration::from_secs(1));
        let cpu = sample.cpu.unwrap();
        assert!((0.0..100.0).contains(&cpu.user) && (0.0..100.0).contains(&cpu.system));
        let memory = sample.memory.unwrap();
        assert!(memory.total > memory.resident && memory.resident > memory.shared);
        assert!(memory.anonymous() > 4096);
        assert!(sample.threads.unwrap() >= 1);
        assert!(sample.open_files.unwrap() > files.len() as u64);
        assert!(sample.open_files_limit.is_none_or(|limit| limit > 20));
        let usage = sample.usage.unwrap();
        assert!(usage.peak > 4096 && usage.minor_faults > 0);
    }

    #[test]
    fn busy_and_allocating_shows() {
        let mut sampler = Sampler::new(Instant::now());
        // Tests beside this one give memory back.
        let grows = (0..100).any(|_| {
            let before = sampler.sample(Instant::now()).memory.unwrap().anonymous();
            let block = std::hint::black_box(vec![1_u8; 64 << 20]);
            let memory = sampler.sample(Instant::now()).memory.unwrap();
            drop(block);
            memory.anonymous() > before + (32 << 20)
        });
        assert!(grows);
        let block = vec![1_u8; 1 << 20];
        let begin = Instant::now();
        let mut sum = 0_u64;
        while begin.elapsed() < Duration::from_millis(100) {
            sum = sum.wrapping_add(block.iter().map(|byte| u64::from(*byte)).sum());
        }
        std::hint::black_box(sum);
        let sample = sampler.sample(Instant::now());
        assert!(sample.cpu.unwrap().user > 0.01);
    }

    #[test]
    fn threads_are_counted() {
        let mut threads = Threads::default();
        let mut files = Files::of(Path::new(PROC));
        let mut buffer = [0; BUFFER];
        while threads.are_links.is_none() {
            assert!(threads.count(&mut files, &mut buffer).unwrap() >= 1);
        }
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let stopped = std::sync::Arc::new(std::sync::Mutex::new(stopped));
        let many: Vec<_> = (0..50)
            .map(|_| {
                let stopped = stopped.clone();
                std::thread::spawn(move || stopped.lock().unwrap().recv().is_err())
            })
            .collect();
        let count = threads.count(&mut files, &mut buffer).unwrap();
        assert!(count > 50, "{count}");
        threads.are_links = Some(false);
        assert!(threads.count(&mut files, &mut buffer).unwrap() > 50);
        drop(stop);
        assert!(many.into_iter().all(|thread| thread.join().unwrap()));
    }

    #[test]
    fn a_listing_is_kept_for_ten_seconds() {
        let now = Instant::now();
        let listed = list(Path::new("/proc/self/fd"), now);
        assert!(listed.count.unwrap() > 2);
        assert!(listed.next >= now + Duration::from_secs(10));
    }

    #[test]
    fn the_start_lies_in_the_past_and_after_the_machine_started() {
        let start = start_time().unwrap();
        let text = fs::read("/proc/stat").unwrap();
        let boot = procfs::boot_time(&text).unwrap() * 1000;
        let uptime = fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        assert!(start >= boot && start <= boot + (uptime * 1000.0) as u64 + 1000);
    }

    #[test]
    fn without_a_proc_there_is_what_system_calls_tell() {
        let start = Instant::now();
        let mut sampler = Sampler::of(Path::new("/proc/self/none"), start);
        let sample = sampler.sample(start + Duration::from_secs(1));
        assert!(sample.cpu.is_some() && sample.usage.is_some());
        assert_eq!(
            (sample.memory, sample.threads, sample.open_files),
            (None, None, None)
        );
    }
}
