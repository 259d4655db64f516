//! An application that closes or replaces every descriptor it finds: nothing of the
//! tracer's is written to, read from or closed in the place of ours, and spans go on.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]
#![expect(
    unsafe_code,
    reason = "plays an application that closes what is not its own"
)]

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use instana_dev_agent::{Config, DevAgent};

const LONG: Duration = Duration::from_secs(30);

/// The tracer's descriptors: what was not there before `init`, and does not belong to the
/// agent, which runs in the same process.
fn ours(agent: u16) -> Vec<RawFd> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let entry = entry.unwrap();
        let number: RawFd = entry.file_name().to_str().unwrap().parse().unwrap();
        let Ok(link) = fs::read_link(entry.path()) else {
            continue;
        };
        let link = link.to_string_lossy().into_owned();
        let is_file = link.contains("/proc/") && !link.ends_with("/fd") || link.contains("cgroup");
        if is_file || leads_to(number, agent) {
            found.push(number);
        }
    }
    found
}

fn leads_to(number: RawFd, agent: u16) -> bool {
    // SAFETY: never dropped, so that it closes nothing; a number that is no socket has no
    // peer.
    let stream = unsafe { std::net::TcpStream::from_raw_fd(number) };
    let stream = std::mem::ManuallyDrop::new(stream);
    stream.peer_addr().is_ok_and(|peer| peer.port() == agent)
}

fn flush(count: usize, agent: &DevAgent) {
    let before = agent.spans().len();
    for _ in 0..count {
        instana::entry_span("entry").end();
    }
    assert!(instana::flush(LONG), "{}", instana::status());
    assert_eq!(agent.spans().len(), before + count);
}

fn wait_for_metrics(agent: &DevAgent) {
    let sent = || instana::status().agent.unwrap().metrics_sent;
    let (before, end) = (sent(), Instant::now() + LONG);
    while sent() < before + 2 {
        assert!(Instant::now() < end, "{}", instana::status());
        thread::sleep(Duration::from_millis(20));
    }
    let _ = agent;
}

/// Closes standard input, starts the tracer, and takes its descriptors away in each way.
#[test]
fn descriptors_that_are_not_ours_any_more_are_left_alone() {
    let agent = DevAgent::start(Config::default()).unwrap();
    let port = agent.addr().port();
    // SAFETY: nothing here uses standard input.
    assert_eq!(unsafe { libc::close(0) }, 0);
    let guard = instana::builder()
        .agent(&agent.addr().to_string())
        .init()
        .unwrap();
    flush(3, &agent);
    wait_for_metrics(&agent);
    let numbers = ours(port);
    assert!(numbers.len() >= 2, "two connections: {numbers:?}");
    assert!(numbers.iter().all(|number| *number > 2), "{numbers:?}");
    for number in &numbers {
        // SAFETY: no pointer is passed.
        let flags = unsafe { libc::fcntl(*number, libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC, "{number}");
    }

    // Each becomes one end of a pair of sockets of the application.
    let (end, mut other) = UnixStream::pair().unwrap();
    other.set_nonblocking(true).unwrap();
    let mut taken = Vec::new();
    for number in ours(port) {
        // SAFETY: whoever owns the number is made for losing it.
        assert_eq!(unsafe { libc::dup2(end.as_raw_fd(), number) }, number);
        // SAFETY: nobody else owns what `dup2` opened.
        taken.push(unsafe { OwnedFd::from_raw_fd(number) });
    }
    flush(3, &agent);
    wait_for_metrics(&agent);
    let mut byte = [0];
    let nothing = other.read(&mut byte).unwrap_err();
    assert_eq!(
        nothing.kind(),
        ErrorKind::WouldBlock,
        "nothing was written there"
    );
    for socket in &taken {
        let is_open = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd()));
        assert!(is_open.unwrap().to_string_lossy().starts_with("socket:"));
    }
    assert!(
        instana::status().descriptors_lost >= 2,
        "{}",
        instana::status()
    );

    // Each is closed, and its number given to a file.
    for number in ours(port) {
        // SAFETY: as above.
        assert_eq!(unsafe { libc::close(number) }, 0);
    }
    let files: Vec<File> = (0..4).map(|_| File::open("/dev/null").unwrap()).collect();
    flush(3, &agent);
    wait_for_metrics(&agent);
    drop(guard);
    for file in &files {
        assert!(file.metadata().is_ok(), "still open");
    }
    drop(taken);
}
