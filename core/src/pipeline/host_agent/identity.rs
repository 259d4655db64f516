//! Who this process is, as the announce tells it (docs/PROTOCOL.md, "Announce").

use std::io::Read;

use crate::secrets;
use crate::secrets::Matcher;

/// The most arguments, and the most bytes of them together, that are announced.
const MAX_ARGUMENTS: usize = 256;
const MAX_ARGUMENT_BYTES: usize = 8 * 1024;
/// The longest executable name in bytes.
const MAX_NAME: usize = 4 * 1024;
/// The most that is read of a file under `/proc`, in bytes.
const MAX_FILE: u64 = 64 * 1024;
/// A cpuset file of this size or more is left out (Node's limit).
const MAX_CPUSET: usize = 2000;

/// The process in the announce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Process {
    /// The pid to announce: in the parent's namespace if that is known.
    pub(crate) pid: u64,
    /// Whether `pid` is from the parent's namespace.
    pub(crate) pid_from_parent: bool,
    /// The executable: the command line's first part.
    pub(crate) name: String,
    /// The rest of the command line, bounded, secrets redacted.
    pub(crate) arguments: Vec<String>,
    /// `/proc/self/cpuset`: which container this is.
    pub(crate) cpuset: Option<String>,
}

impl Process {
    /// Reads what the system says now. What is secret in the arguments is not
    /// announced.
    pub(crate) fn read(matcher: &Matcher) -> Self {
        let own = u64::from(std::process::id());
        let parent = read_file("/proc/self/sched")
            .and_then(|sched| parent_pid(&String::from_utf8_lossy(&sched)))
            .filter(|pid| *pid != own);
        let mut command = read_file("/proc/self/cmdline")
            .map(|line| command_line(&line))
            .unwrap_or_default()
            .into_iter();
        let (name, arguments) = match command.next() {
            Some(name) => (name, command.collect()),
            None => own_command(),
        };
        Self {
            pid: parent.unwrap_or(own),
            pid_from_parent: parent.is_some(),
            name: cut(name, MAX_NAME),
            arguments: bounded(secrets::arguments(matcher, arguments)),
            cpuset: read_file("/proc/self/cpuset")
                .filter(|content| !content.is_empty() && content.len() < MAX_CPUSET)
                .map(|content| String::from_utf8_lossy(&content).into_owned()),
        }
    }
}

/// The command line where there is no `/proc`.
fn own_command() -> (String, Vec<String>) {
    let mut arguments = std::env::args_os().map(|part| part.to_string_lossy().into_owned());
    let first = arguments.next();
    let name = std::env::current_exe()
        .map(|path| path.to_string_lossy().into_owned())
        .ok()
        .or(first)
        .unwrap_or_default();
    (name, arguments.collect())
}

/// The parts of a `cmdline` file: each ends with a NUL, the last one too. One
/// that was not read to its end is left out, for that could show what is secret
/// in it.
fn command_line(content: &[u8]) -> Vec<String> {
    let whole = content.len() < MAX_FILE as usize;
    let end = content.iter().rposition(|byte| *byte == 0);
    let content = match end.filter(|_| !whole) {
        Some(end) => content.get(..end).unwrap_or_default(),
        None => content.strip_suffix(&[0]).unwrap_or(content),
    };
    if content.is_empty() {
        return Vec::new();
    }
    content
        .split(|byte| *byte == 0)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect()
}

/// The pid in the first line of a `sched` file, `name (123, #threads: 4)`. The
/// name may hold parentheses: the last `(digits,` counts. Newer kernels print
/// the pid of the own namespace here.
fn parent_pid(sched: &str) -> Option<u64> {
    let line = sched.lines().next()?;
    line.rsplit('(').find_map(|group| {
        let (digits, _) = group.split_once(',')?;
        let numeric = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|pid| numeric && *pid > 0)
    })
}

/// As many arguments as the limits allow; the last one may be cut.
fn bounded(arguments: Vec<String>) -> Vec<String> {
    let mut left = MAX_ARGUMENT_BYTES;
    let mut kept = Vec::new();
    for argument in arguments.into_iter().take(MAX_ARGUMENTS) {
        if left == 0 {
            break;
        }
        let argument = cut(argument, left);
        left -= argument.len();
        kept.push(argument);
    }
    kept
}

/// `text` with at most `limit` bytes.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
    }
    text
}

fn read_file(path: &str) -> Option<Vec<u8>> {
    let file = std::fs::File::open(path).ok()?;
    let mut content = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut content).ok()?;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pids_in_sched_files() {
        for (sched, pid) in [
            ("shop (17, #threads: 4)\n-----\nse.exec (9, x)\n", Some(17)),
            ("a (b) c (9, #threads: 1)\n", Some(9)),
            ("we(1,ird (42, #threads: 1)", Some(42)),
            ("name (42, #threads: (1)", Some(42)),
            ("name (0, #threads: 1)", None),
            ("name (+4, #threads: 1)", None),
            ("name (-4, #threads: 1)", None),
            ("name (99999999999999999999999, #threads: 1)", None),
            ("name (x, #threads: 1)", None),
            ("", None),
        ] {
            assert_eq!(parent_pid(sched), pid, "{sched:?}");
        }
    }

    #[test]
    fn command_lines() {
        for (content, parts) in [
            (
                &b"/app/shop\0--port\x008080\0"[..],
                &["/app/shop", "--port", "8080"][..],
            ),
            (b"shop\0\0", &["shop", ""]),
            (b"shop", &["shop"]),
            (b"\xff\0", &["\u{fffd}"]),
            (b"\0", &[]),
            (b"", &[]),
        ] {
            assert_eq!(command_line(content), parts, "{content:?}");
        }
        let mut long = b"shop\0http://user:".to_vec();
        long.resize(MAX_FILE as usize, b'x');
        assert_eq!(command_line(&long), ["shop"]);
    }

    #[test]
    fn long_command_lines_are_cut() {
        let many = bounded(vec!["x".to_owned(); 1000]);
        assert_eq!(many.len(), MAX_ARGUMENTS);
        let large = bounded(vec!["é".repeat(3000); 4]);
        let lengths: Vec<_> = large.iter().map(String::len).collect();
        assert_eq!(lengths, [6000, 2192]);
        assert_eq!(cut("aé".to_owned(), 2), "a");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process() {
        let process = Process::read(&Matcher::default());
        assert!(process.pid > 0);
        assert!(process.name.contains("instana"), "{process:?}");
    }
}
