//! The limits of the control group that the process runs in, and what it has used of
//! them: version 2, and version 1 where that has no controllers (cgroups(7)).
//!
//! A container sees its own group as the root of its file system, or, without a
//! namespace for it, has a path that leads nowhere from there: then its own group is
//! the root, too.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::pipeline::metrics::open_file::OpenFile;
use crate::pipeline::metrics::sample::Cgroup;

/// Where it is mounted on all common systems.
const ROOT: &str = "/sys/fs/cgroup";
/// What these files hold is short.
const MAX_FILE: u64 = 16 * 1024;
/// Enough for those that are kept open.
const BUFFER: usize = 4 * 1024;
/// Limits seldom change.
const LIMITS_EVERY: Duration = Duration::from_secs(60);
/// Where there is no limit, nobody is close to one.
const UNLIMITED_EVERY: Duration = Duration::from_secs(10);
/// Version 1 has this or more where there is no limit: the largest multiple of a page.
const NO_LIMIT: u64 = 1 << 62;

/// Finds the group's files, and reads them.
#[derive(Debug)]
pub(super) struct Reader {
    files: Files,
    /// What was read last.
    group: Cgroup,
    next_limits: Instant,
    next_usage: Instant,
}

#[derive(Debug, Default)]
struct Files {
    memory: Option<Memory>,
    cpu: Option<Cpu>,
}

#[derive(Debug)]
struct Memory {
    limit: PathBuf,
    usage: OpenFile,
}

#[derive(Debug)]
enum Cpu {
    V1 {
        quota: PathBuf,
        period: PathBuf,
        stat: OpenFile,
        usage: OpenFile,
    },
    V2 {
        max: PathBuf,
        stat: OpenFile,
    },
}

impl Reader {
    pub(super) fn new(now: Instant) -> Self {
        let groups = whole(Path::new("/proc/self/cgroup")).unwrap_or_default();
        Self::of(Files::find(Path::new(ROOT), &groups), now)
    }

    fn of(files: Files, now: Instant) -> Self {
        Self {
            files,
            group: Cgroup::default(),
            next_limits: now,
            next_usage: now,
        }
    }

    /// What is used is read at each call, from two or three small files; every 10 s
    /// where there is no limit. Limits are read every 60 s.
    pub(super) fn read(&mut self, now: Instant) -> Cgroup {
        if now >= self.next_limits {
            self.next_limits = now + LIMITS_EVERY;
            self.files.limits(&mut self.group);
        }
        if now >= self.next_usage || self.group.is_limited() {
            self.next_usage = now + UNLIMITED_EVERY;
            self.files.usage(&mut self.group);
        }
        self.group
    }
}

impl Files {
    /// `groups` is `/proc/self/cgroup`.
    fn find(root: &Path, groups: &str) -> Self {
        let v2 = group(groups, "").and_then(|group| Self::of_v2(root, group));
        let mut files = v2.unwrap_or_default();
        // Where both versions are mounted, the controllers are in one of them.
        if files.memory.is_none() {
            let folder = folder_v1(root, groups, "memory", "memory.usage_in_bytes");
            files.memory = folder.map(|folder| Memory {
                limit: folder.join("memory.limit_in_bytes"),
                usage: OpenFile::new(folder.join("memory.usage_in_bytes")),
            });
        }
        if files.cpu.is_none() {
            let folder = folder_v1(root, groups, "cpu", "cpu.stat");
            let usage = folder_v1(root, groups, "cpuacct", "cpuacct.usage");
            files.cpu = folder.map(|folder| Cpu::V1 {
                quota: folder.join("cpu.cfs_quota_us"),
                period: folder.join("cpu.cfs_period_us"),
                stat: OpenFile::new(folder.join("cpu.stat")),
                usage: OpenFile::new(usage.unwrap_or(folder).join("cpuacct.usage")),
            });
        }
        files
    }

    fn of_v2(root: &Path, group: &str) -> Option<Self> {
        let folder = folder(root, group, "cgroup.controllers")?;
        let has = |file: &str| folder.join(file).exists();
        Some(Self {
            memory: has("memory.current").then(|| Memory {
                limit: folder.join("memory.max"),
                usage: OpenFile::new(folder.join("memory.current")),
            }),
            // The root's group has no limit: it is the whole machine.
            cpu: has("cpu.max").then(|| Cpu::V2 {
                max: folder.join("cpu.max"),
                stat: OpenFile::new(folder.join("cpu.stat")),
            }),
        })
    }

    fn limits(&self, group: &mut Cgroup) {
        group.cpu_limit = self.cpu.as_ref().and_then(|cpu| match cpu {
            Cpu::V1 { quota, period, .. } => share(&whole(quota)?, &whole(period)?),
            Cpu::V2 { max, .. } => {
                let text = whole(max)?;
                let (quota, period) = text.trim().split_once(' ')?;
                share(quota, period)
            }
        });
        let memory = self.memory.as_ref();
        group.memory_limit = memory
            .and_then(|memory| number(&whole(&memory.limit)?))
            .filter(|limit| *limit < NO_LIMIT);
    }

    fn usage(&mut self, group: &mut Cgroup) {
        let buffer = &mut [0; BUFFER];
        group.memory_usage = match &mut self.memory {
            Some(memory) => read(&mut memory.usage, buffer).and_then(number),
            None => None,
        };
        let micros = |nanos: u64| nanos / 1_000;
        match &mut self.cpu {
            None => {}
            Some(Cpu::V2 { stat, .. }) => {
                let stat = read(stat, buffer).unwrap_or_default();
                group.cpu_usage = value(stat, "usage_usec");
                group.throttled = value(stat, "nr_throttled");
                group.throttled_time = value(stat, "throttled_usec");
            }
            Some(Cpu::V1 { stat, usage, .. }) => {
                group.cpu_usage = read(usage, buffer).and_then(number).map(micros);
                let stat = read(stat, buffer).unwrap_or_default();
                group.throttled = value(stat, "nr_throttled");
                group.throttled_time = value(stat, "throttled_time").map(micros);
            }
        }
    }
}

/// The path of the group of that controller in `/proc/self/cgroup`; version 2 has none.
fn group<'a>(groups: &'a str, controller: &str) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, group) = rest.split_once(':')?;
        let mut names = controllers.split(',');
        names.any(|name| name == controller).then_some(group)
    })
}

/// The folder of a controller of version 1, which may be mounted with others.
fn folder_v1(root: &Path, groups: &str, controller: &str, file: &str) -> Option<PathBuf> {
    let group = group(groups, controller)?;
    let mounts = [controller, "cpu,cpuacct", "cpuacct,cpu"];
    let mut folders = mounts.iter().map(|mount| root.join(mount));
    folders.find_map(|mount| folder(&mount, group, file))
}

/// The group's folder, or the root if that is what the process sees of it: the one
/// that has this file.
fn folder(root: &Path, group: &str, file: &str) -> Option<PathBuf> {
    let own = root.join(group.trim_start_matches('/'));
    let folders = [own, root.to_owned()];
    folders
        .into_iter()
        .find(|folder| folder.join(file).exists())
}

fn whole(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MAX_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

fn read<'a>(file: &mut OpenFile, buffer: &'a mut [u8]) -> Option<&'a str> {
    std::str::from_utf8(file.read(buffer)?).ok()
}

/// `max` is none.
fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// Of a list of names with a number each.
fn value(stat: &str, name: &str) -> Option<u64> {
    let mut lines = stat.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = lines.find(|(known, _)| *known == name)?;
    number(value)
}

/// A quota of -1 or `max` is no limit.
fn share(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (number(quota)?, number(period)?);
    (period > 0).then(|| quota as f64 / period as f64)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A group file system of the test's own, deleted at the end.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = format!("instana-cgroup-{}-{name}", std::process::id());
            let root = std::env::temp_dir().join(folder);
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(root)
        }

        fn reader(&self, groups: &str) -> Reader {
            Reader::of(Files::find(&self.0, groups), Instant::now())
        }

        fn read(&self, groups: &str) -> Cgroup {
            self.reader(groups).read(Instant::now())
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const STAT: &str = "usage_usec 1234567\nuser_usec 1\nnr_throttled 3\nthrottled_usec 45000\n";

    #[test]
    fn version_2() {
        let files = [
            ("cgroup.controllers", "cpu memory"),
            ("a.slice/b/cgroup.controllers", "cpu memory"),
            ("a.slice/b/memory.max", "536870912\n"),
            ("a.slice/b/memory.current", "1048576\n"),
            ("a.slice/b/cpu.max", "150000 100000\n"),
            ("a.slice/b/cpu.stat", STAT),
        ];
        let tree = Tree::new("v2", &files);
        let expected = Cgroup {
            cpu_limit: Some(1.5),
            cpu_usage: Some(1_234_567),
            throttled: Some(3),
            throttled_time: Some(45_000),
            memory_limit: Some(512 << 20),
            memory_usage: Some(1 << 20),
        };
        assert_eq!(tree.read("0::/a.slice/b\n"), expected);
        // The root has no files of its own: it is the machine.
        assert_eq!(tree.read("0::/\n"), Cgroup::default());
    }

    #[test]
    fn a_container_without_a_namespace_sees_its_group_as_the_root() {
        let files = [
            ("cgroup.controllers", "cpu memory"),
            ("memory.max", "max\n"),
            ("memory.current", "77\n"),
            ("cpu.max", "max 100000\n"),
            ("cpu.stat", "usage_usec 5\n"),
        ];
        let tree = Tree::new("rootless", &files);
        let expected = Cgroup {
            cpu_usage: Some(5),
            memory_usage: Some(77),
            ..Cgroup::default()
        };
        assert_eq!(tree.read("0::/docker/3f0c\n"), expected);
    }

    #[test]
    fn version_1() {
        let files = [
            ("memory/docker/x/memory.limit_in_bytes", "1000000\n"),
            ("memory/docker/x/memory.usage_in_bytes", "4096\n"),
            ("cpu,cpuacct/docker/x/cpu.cfs_quota_us", "50000\n"),
            ("cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n"),
            (
                "cpu,cpuacct/docker/x/cpu.stat",
                "nr_periods 9\nnr_throttled 2\nthrottled_time 7000000\n",
            ),
            ("cpu,cpuacct/docker/x/cpuacct.usage", "8000000\n"),
            ("unified/cgroup.controllers", ""),
        ];
        let tree = Tree::new("v1", &files);
        let groups = "12:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x\n0::/docker/x\n";
        let expected = Cgroup {
            cpu_limit: Some(0.5),
            cpu_usage: Some(8_000),
            throttled: Some(2),
            throttled_time: Some(7_000),
            memory_limit: Some(1_000_000),
            memory_usage: Some(4_096),
        };
        assert_eq!(tree.read(groups), expected);
        fs::write(
            tree.0.join("memory/docker/x/memory.limit_in_bytes"),
            "9223372036854771712\n",
        )
        .unwrap();
        fs::write(tree.0.join("cpu,cpuacct/docker/x/cpu.cfs_quota_us"), "-1\n").unwrap();
        let unlimited = tree.read(groups);
        assert_eq!(unlimited.memory_limit, None);
        assert_eq!(unlimited.cpu_limit, None);
        assert_eq!(unlimited.memory_usage, Some(4_096));
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        let nothing = Tree::new("none", &[("x", "")]);
        for groups in ["", "0::", "garbage", "0::/a\n", "9:memory:/a\n::\n"] {
            assert_eq!(nothing.read(groups), Cgroup::default(), "{groups}");
        }
        let files = [
            ("cgroup.controllers", ""),
            ("memory.max", "many"),
            ("memory.current", ""),
            ("cpu.max", "1 0"),
            ("cpu.stat", "usage_usec -1\nnr_throttled\n"),
        ];
        let garbage = Tree::new("garbage", &files);
        assert_eq!(garbage.read("0::/"), Cgroup::default());
    }

    #[test]
    fn usage_is_read_each_second_where_there_is_a_limit() {
        for (limit, expected) in [("max", 1), ("1000", 2)] {
            let files = [
                ("cgroup.controllers", "memory"),
                ("memory.max", limit),
                ("memory.current", "1"),
            ];
            let tree = Tree::new(&format!("seconds-{limit}"), &files);
            let mut reader = tree.reader("0::/");
            let now = Instant::now();
            assert_eq!(reader.read(now).memory_usage, Some(1));
            fs::write(tree.0.join("memory.current"), "2").unwrap();
            fs::write(tree.0.join("memory.max"), "3000").unwrap();
            let mut after = |seconds| reader.read(now + Duration::from_secs(seconds));
            let second = after(1);
            assert_eq!(second.memory_usage, Some(expected));
            assert_eq!(second.memory_limit, limit.parse().ok());
            assert_eq!(after(10).memory_usage, Some(2));
            assert_eq!(after(59).memory_limit, limit.parse().ok());
            assert_eq!(after(60).memory_limit, Some(3000));
        }
    }

    #[test]
    fn this_process_is_read_without_trouble() {
        let now = Instant::now();
        let mut reader = Reader::new(now);
        let first = reader.read(now);
        let second = reader.read(now + Duration::from_secs(1));
        assert!(second.cpu_usage >= first.cpu_usage);
        assert!(first.memory_limit.is_none_or(|limit| limit > 4096));
    }
}
