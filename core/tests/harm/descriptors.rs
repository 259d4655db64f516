//! Standard error in all states, and descriptors that are the application's by now.

use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use instana::metrics::{self, Readings};

use crate::child::{LONG, default_signal, for_agent, live, record, soon};
use crate::parent::{Case, Run, agent, assert_spans, collect, full_pipe, pipe, sockets, terminal};

/// The line that each child has to say.
const LINE: &str = "instana: INSTANA_TRACING_TRANSMISSION_DELAY=\"soon\" is not ";

pub(crate) const CASES: fn() -> Vec<Case> = || {
    vec![
        Case {
            name: "standard_error_is_full",
            parent: |case| {
                let (read, write) = full_pipe();
                lives(case, write);
                drop(read);
            },
            child: |agent| {
                default_signal(libc::SIGPIPE);
                live(for_agent(agent));
                assert_eq!(instana::status().lines.written, 0);
            },
        },
        Case {
            name: "standard_error_is_full_for_a_while",
            parent: |case| {
                let (read, write) = full_pipe();
                let agent = agent();
                let run = Run::start(case, &agent, Stdio::from(write));
                agent.wait_for_spans(4, LONG).unwrap();
                let text = collect(read);
                run.join();
                let text = text.recv_timeout(LONG).unwrap();
                assert_eq!(text.matches(LINE).count(), 1, "{text}");
            },
            child: |agent| {
                live(for_agent(agent));
                while instana::status().lines.waiting > 0 {
                    thread::sleep(Duration::from_millis(5));
                }
                assert_eq!(instana::status().lines.unwritten, 0);
            },
        },
        Case {
            name: "standard_error_is_closed",
            parent: |case| lives(case, pipe().1),
            child: |agent| {
                close(2);
                live(for_agent(agent));
                let lines = instana::status().lines;
                assert!(lines.written == 0 && lines.unwritten > 0, "{lines:?}");
            },
        },
        Case {
            name: "standard_error_is_closed_later_and_nothing_takes_its_place",
            parent: |case| lives(case, pipe().1),
            child: |agent| {
                live_and_close(agent, || close(2));
            },
        },
        Case {
            name: "standard_error_is_a_pipe",
            parent: |case| {
                let (read, write) = pipe();
                says(case, read, write);
            },
            child: |agent| live(for_agent(agent)),
        },
        Case {
            name: "standard_error_is_a_pipe_that_does_not_block",
            parent: |case| {
                let (read, write) = pipe();
                says(case, read, write);
            },
            child: |agent| {
                // SAFETY: both are numbers.
                unsafe { libc::fcntl(2, libc::F_SETFL, libc::O_NONBLOCK) };
                live(for_agent(agent));
            },
        },
        Case {
            name: "standard_error_is_a_socket",
            parent: |case| {
                let (read, write) = sockets();
                says(case, read, write);
            },
            child: |agent| live(for_agent(agent)),
        },
        Case {
            name: "standard_error_is_a_terminal",
            parent: |case| {
                let (read, write) = terminal();
                says(case, read, write);
            },
            child: |agent| live(for_agent(agent)),
        },
        Case {
            name: "standard_error_is_a_file",
            parent: |case| {
                let path = path("stderr");
                let file = File::create(&path).unwrap();
                lives(case, file.into());
                let text = fs::read_to_string(&path).unwrap();
                assert_eq!(text.matches(LINE).count(), 1, "{text}");
            },
            child: |agent| live(for_agent(agent)),
        },
        Case {
            name: "standard_error_is_a_file_that_is_full",
            parent: |case| lives(case, File::create(path("full")).unwrap().into()),
            child: |agent| {
                default_signal(libc::SIGXFSZ);
                let none = libc::rlimit {
                    rlim_cur: 0,
                    rlim_max: libc::RLIM_INFINITY,
                };
                // SAFETY: `none` outlives the call.
                unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const none) };
                live(for_agent(agent));
                unwritten();
            },
        },
        Case {
            name: "the_reader_of_the_pipe_is_gone",
            parent: |case| lives(case, without_reader(pipe())),
            child: reader_gone,
        },
        Case {
            name: "the_reader_of_the_socket_is_gone",
            parent: |case| lives(case, without_reader(sockets())),
            child: reader_gone,
        },
        Case {
            name: "standard_error_is_the_applications_socket_by_now",
            parent: |case| lives(case, pipe().1),
            child: |agent| {
                let mut other = None;
                live_and_close(agent, || {
                    close(2);
                    let (ours, theirs) = UnixStream::pair().unwrap();
                    take_number(ours.into(), 2);
                    other = Some(theirs);
                });
                assert_silent(&other.unwrap());
            },
        },
        Case {
            name: "standard_error_is_the_applications_file_by_now",
            parent: |case| lives(case, pipe().1),
            child: |agent| {
                live_and_close(agent, || {
                    let file = OpenOptions::new()
                        .append(true)
                        .create(true)
                        .open(path("own"));
                    take_number(file.unwrap().into(), 2);
                });
                assert_eq!(fs::metadata(path("own")).unwrap().len(), 0);
                fs::remove_file(path("own")).unwrap();
            },
        },
    ]
};

/// Asserts that nothing is written there.
fn unwritten() {
    let lines = instana::status().lines;
    assert!(lines.written == 0 && lines.unwritten > 0, "{lines:?}");
}

fn reader_gone(agent: &str) {
    default_signal(libc::SIGPIPE);
    live(for_agent(agent));
    unwritten();
}

/// A life in which standard error is changed in the middle.
fn live_and_close(agent: &str, change: impl FnOnce()) {
    default_signal(libc::SIGPIPE);
    let guard = soon(|| for_agent(agent).init().unwrap());
    record(4);
    while instana::status().lines.waiting > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    let before = instana::status().lines;
    change();
    for _ in 0..100 {
        metrics::register("source", |_: &mut Readings| {});
    }
    assert!(guard.flush(LONG), "{}", instana::status());
    soon(|| drop(guard));
    let lines = instana::status().lines;
    assert_eq!(lines.written, before.written);
    assert!(lines.unwritten > before.unwritten, "{lines:?}");
}

fn lives(case: &Case, stderr: OwnedFd) {
    let agent = agent();
    Run::start(case, &agent, Stdio::from(stderr)).join();
    assert_spans(&agent, "case", 4);
}

fn without_reader<R>((read, write): (R, OwnedFd)) -> OwnedFd {
    drop(read);
    write
}

/// The line arrives, whole and once.
fn says(case: &Case, read: impl std::io::Read + Send + 'static, write: OwnedFd) {
    let text = collect(read);
    lives(case, write);
    let text = text.recv_timeout(LONG).unwrap();
    assert_eq!(text.matches(LINE).count(), 1, "{text}");
    assert!(text.ends_with('\n'), "{text}");
}

fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("harm-{name}"))
}

fn close(number: RawFd) {
    // SAFETY: it is a number; what was open by it is not used any more.
    unsafe { libc::close(number) };
}

/// Gives `file` another number.
fn take_number(file: OwnedFd, number: RawFd) {
    if file.as_raw_fd() == number {
        // It stays open.
        let _ = file.into_raw_fd();
        return;
    }
    // SAFETY: `file` is open; what was open by the other number is not used any more.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), number) }, number);
}

/// Nothing was written to the other end.
fn assert_silent(mut other: &UnixStream) {
    other.set_nonblocking(true).unwrap();
    let read = other.read(&mut [0; 100]);
    assert!(read.is_err(), "{read:?}");
}
