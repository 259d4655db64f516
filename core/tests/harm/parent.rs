//! Runs the cases, each as a process with a deadline.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, ExitStatus, Stdio, exit};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use instana_dev_agent::{Config, DevAgent};

use crate::child;

/// No case takes this long, unless it hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// What comes before the name of a case in a child.
const MARK: &str = "--child";

/// A case: its name, what the parent does, and what the child does.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) parent: fn(&Case),
    pub(crate) child: fn(&str),
}

pub(crate) fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let cases = child::cases();
    if let [mark, name, agent] = arguments.as_slice() {
        if mark == MARK {
            let case = cases.iter().find(|case| case.name == name).unwrap();
            // Standard error is a part of the test.
            std::panic::set_hook(Box::new(|panic| println!("{panic}")));
            (case.child)(agent);
            exit(0);
        }
    }
    let words: Vec<&String> = arguments
        .iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    let is_wanted =
        |case: &&Case| words.is_empty() || words.iter().any(|word| case.name.contains(&**word));
    let cases: Vec<&Case> = cases.iter().filter(is_wanted).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        cases
            .iter()
            .for_each(|case| println!("{}: test", case.name));
        return;
    }
    let mut failed = Vec::new();
    for case in &cases {
        let begin = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| (case.parent)(case)));
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        println!("test {} ... {word} ({:.1?})", case.name, begin.elapsed());
        failed.extend(result.is_err().then_some(case.name));
    }
    println!(
        "\ntest result: {} passed; {} failed",
        cases.len() - failed.len(),
        failed.len()
    );
    if !failed.is_empty() {
        println!("failures: {failed:?}");
        exit(101);
    }
}

pub(crate) fn agent() -> DevAgent {
    DevAgent::start(Config::new()).unwrap()
}

/// A case under way.
pub(crate) struct Run {
    child: Child,
    name: &'static str,
}

impl Run {
    #[expect(
        clippy::disallowed_methods,
        reason = "the variables that the test was started with are left out"
    )]
    pub(crate) fn start(case: &Case, agent: &DevAgent, stderr: Stdio) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"INSTANA_") && name != "INSTANA_HARM" {
                command.env_remove(name);
            }
        }
        // What is wrong with it is the first line.
        command.env("INSTANA_TRACING_TRANSMISSION_DELAY", "soon");
        command.args([MARK, case.name, &agent.addr().to_string()]);
        let child = command.stdin(Stdio::null()).stderr(stderr).spawn().unwrap();
        Self {
            child,
            name: case.name,
        }
    }

    /// Waits for the end, which has to be a good one.
    pub(crate) fn join(mut self) {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begin.elapsed() > LIMIT {
                self.child.kill().unwrap();
                panic!("{} hangs", self.name);
            }
            thread::sleep(Duration::from_millis(2));
        };
        assert_good(status, self.name);
    }
}

fn assert_good(status: ExitStatus, name: &str) {
    assert_eq!(status.signal(), None, "{name} was killed by a signal");
    assert_eq!(status.code(), Some(0), "{name} failed");
}

/// Collects what is read until the end.
pub(crate) fn collect(mut from: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut all, mut part) = (Vec::new(), [0; 4096]);
        // The end of a terminal is an error.
        while let Ok(read @ 1..) = from.read(&mut part) {
            all.extend_from_slice(&part[..read]);
        }
        let _ = sender.send(String::from_utf8_lossy(&all).into_owned());
    });
    receiver
}

/// A pipe: where it is read, and where it is written.
pub(crate) fn pipe() -> (File, OwnedFd) {
    let mut ends = [0; 2];
    // SAFETY: the call fills two numbers, which are descriptors of our own then.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (File::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    }
}

/// A pipe without any room.
pub(crate) fn full_pipe() -> (File, OwnedFd) {
    let (read, write) = pipe();
    set_nonblocking(&write, true);
    let mut file = File::from(write.try_clone().unwrap());
    while file.write(&[b'x'; 512]).is_ok() {}
    while file.write(b"x").is_ok() {}
    set_nonblocking(&write, false);
    (read, write)
}

fn set_nonblocking(file: &OwnedFd, on: bool) {
    let flags = if on { libc::O_NONBLOCK } else { 0 };
    // SAFETY: the descriptor is open.
    let set = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags) };
    assert_eq!(set, 0);
}

/// Two ends of a socket.
pub(crate) fn sockets() -> (UnixStream, OwnedFd) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (ours, theirs.into())
}

/// A terminal: the side that shows it, and the side of the process.
pub(crate) fn terminal() -> (File, OwnedFd) {
    let (mut main, mut side) = (0, 0);
    let none = std::ptr::null_mut();
    // SAFETY: the call fills two numbers, which are descriptors of our own then.
    unsafe {
        let opened = libc::openpty(&raw mut main, &raw mut side, none, none.cast(), none.cast());
        assert_eq!(opened, 0);
        libc::fcntl(main, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(side, libc::F_SETFD, libc::FD_CLOEXEC);
        (File::from_raw_fd(main), OwnedFd::from_raw_fd(side))
    }
}

/// Asserts that the agent has as many spans of this name.
pub(crate) fn assert_spans(agent: &DevAgent, name: &str, expected: usize) {
    let spans = agent.spans();
    let found = spans
        .iter()
        .filter(|span| span["data"]["sdk"]["name"] == name);
    assert_eq!(found.count(), expected, "{name}");
}
