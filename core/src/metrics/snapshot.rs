//! What does not change while the process runs.

use std::path::{Path, PathBuf};

use super::process;

/// The snapshot; keys and units are in `payload.rs`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Snapshot {
    /// The process or service name, else the executable's.
    pub(super) name: Option<String>,
    /// The compiler and its version, as `rustc 1.85.0`.
    pub(super) version: Option<&'static str>,
    /// The target triple.
    pub(super) target: Option<&'static str>,
    /// The path of the executable.
    pub(super) executable: Option<String>,
    /// Milliseconds since the epoch.
    pub(super) start: Option<u64>,
    /// CPUs that the process may use: affinity and cgroup limits count.
    pub(super) cpus: Option<u64>,
}

impl Snapshot {
    /// `name` is what the settings say.
    pub(super) fn read(name: Option<&str>) -> Self {
        let executable = executable();
        let name = name
            .map(str::to_owned)
            .or_else(|| file_name(executable.as_deref()?));
        Self {
            name,
            version: option_env!("INSTANA_RUSTC_VERSION"),
            target: option_env!("INSTANA_TARGET"),
            executable: executable.map(|path| path.to_string_lossy().into_owned()),
            start: process::start_time(),
            cpus: std::thread::available_parallelism()
                .ok()
                .and_then(|count| u64::try_from(count.get()).ok()),
        }
    }
}

/// The name of the executable.
pub(crate) fn executable_name() -> Option<String> {
    file_name(&executable()?)
}

fn executable() -> Option<PathBuf> {
    std::env::current_exe().ok().map(without_mark)
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// Linux marks a program whose file was replaced while it runs.
fn without_mark(path: PathBuf) -> PathBuf {
    match path
        .to_str()
        .and_then(|text| text.strip_suffix(" (deleted)"))
    {
        Some(text) => Path::new(text).to_owned(),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_names_the_process_where_nobody_does() {
        assert_eq!(Snapshot::read(Some("shop")).name.as_deref(), Some("shop"));
        let name = Snapshot::read(None).name.unwrap();
        assert!(name.starts_with("instana-"), "{name}");
    }

    #[test]
    fn the_build_script_tells_compiler_and_target() {
        let snapshot = Snapshot::read(None);
        let version = snapshot.version.unwrap();
        assert!(version.split('.').count() >= 3 && version.starts_with("rustc 1."));
        assert!(snapshot.target.unwrap().contains(std::env::consts::ARCH));
        assert!(snapshot.cpus.unwrap() >= 1);
    }

    #[test]
    fn the_mark_of_a_replaced_file_is_removed() {
        assert_eq!(without_mark("/a/b (deleted)".into()), Path::new("/a/b"));
        assert_eq!(without_mark("/a/b".into()), Path::new("/a/b"));
    }
}
