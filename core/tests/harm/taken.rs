//! An application that closes every descriptor it knows, as daemons do, and opens others:
//! what had been the tracer's numbers are its own then.

use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use instana::metrics::{self, Readings};

use crate::child::{LONG, default_signal, for_agent, record, soon};
use crate::parent::{Case, Run, agent, assert_spans, pipe};

/// Descriptors of the tracer and of what it needs are below.
const NUMBERS: i32 = 200;

/// As many are taken by files and sockets of the application.
const TAKEN: usize = 60;

pub(crate) const CASES: fn() -> Vec<Case> = || {
    vec![
        Case {
            name: "all_descriptors_are_the_applications_by_now",
            parent: |case| {
                let agent = agent();
                Run::start(case, &agent, Stdio::from(pipe().1)).join();
                assert_spans(&agent, "case", 6);
            },
            child: all_are_taken,
        },
        Case {
            name: "all_descriptors_are_closed_and_the_tracers_are_above_the_first_three",
            parent: |case| {
                let agent = agent();
                Run::start(case, &agent, Stdio::from(pipe().1)).join();
                assert_spans(&agent, "case", 3);
            },
            child: |agent| {
                close_all();
                let guard = soon(|| for_agent(agent).init().unwrap());
                record(3);
                assert!(guard.flush(LONG));
                for _ in 0..30 {
                    let first = (0..3).filter(|number| identity(*number).is_some());
                    assert_eq!(first.count(), 0);
                    thread::sleep(Duration::from_millis(50));
                }
                soon(|| drop(guard));
            },
        },
    ]
};

fn all_are_taken(agent: &str) {
    default_signal(libc::SIGPIPE);
    let guard = soon(|| for_agent(agent).init().unwrap());
    record(3);
    assert!(guard.flush(LONG), "{}", instana::status());
    // With metrics, and what is open for them.
    thread::sleep(Duration::from_millis(1_500));
    close_all();
    let taken = Taken::open();
    record(3);
    // Lines, metrics of three seconds, spans.
    for _ in 0..100 {
        metrics::register("source", |_: &mut Readings| {});
    }
    thread::sleep(Duration::from_secs(3));
    assert!(guard.flush(LONG), "{}", instana::status());
    taken.assert_untouched();
    soon(|| drop(guard));
    taken.assert_untouched();
    taken.remove();
}

/// Closes all descriptors. Reports of the test go to one of a large number.
fn close_all() {
    // SAFETY: all are numbers; what was open by them is not used any more.
    let report = unsafe {
        let report = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, NUMBERS);
        (0..NUMBERS).for_each(|number| {
            libc::close(number);
        });
        report
    };
    std::panic::set_hook(Box::new(move |panic| {
        let text = format!("{panic}\n");
        // SAFETY: the pointer and the length are those of the text.
        unsafe { libc::write(report, text.as_ptr().cast(), text.len()) };
    }));
}

/// Files and sockets of the application, with the lowest numbers.
struct Taken {
    files: Vec<(PathBuf, File)>,
    sockets: Vec<UnixStream>,
    all: Vec<(i32, (u64, u64))>,
}

impl Taken {
    fn open() -> Self {
        let (mut files, mut sockets) = (Vec::new(), Vec::new());
        while files.len() + sockets.len() < TAKEN {
            let (one, other) = UnixStream::pair().unwrap();
            sockets.extend([one, other]);
            let name = format!("harm-taken-{}", files.len());
            let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
            let file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .open(&path);
            files.push((path, file.unwrap()));
        }
        let numbers = files.iter().map(|(_, file)| file.as_raw_fd());
        let numbers = numbers.chain(sockets.iter().map(|socket| socket.as_raw_fd()));
        let all = numbers
            .map(|number| (number, identity(number).unwrap()))
            .collect();
        Self {
            files,
            sockets,
            all,
        }
    }

    /// Nothing was closed, and nothing was written.
    fn assert_untouched(&self) {
        for (number, known) in &self.all {
            assert_eq!(identity(*number), Some(*known), "{number} was closed");
        }
        for (_, file) in &self.files {
            assert_eq!(file.metadata().unwrap().len(), 0, "{file:?} was written to");
        }
        for mut socket in &self.sockets {
            socket.set_nonblocking(true).unwrap();
            let read = socket.read(&mut [0; 100]);
            let error = read.expect_err("nothing was written");
            assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        }
    }

    fn remove(self) {
        for (path, _) in &self.files {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Device and inode of what is open by this number.
fn identity(number: i32) -> Option<(u64, u64)> {
    // SAFETY: the number is not owned, and not closed by what is made of it.
    let file = ManuallyDrop::new(File::from(unsafe { OwnedFd::from_raw_fd(number) }));
    let metadata = file.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}
