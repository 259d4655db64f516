//! What does not change while the process runs.

use crate::base::executable;
use crate::pipeline::metrics::process;

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
        let name = name.map(str::to_owned).or_else(executable::name);
        Self {
            name,
            version: option_env!("INSTANA_RUSTC_VERSION"),
            target: option_env!("INSTANA_TARGET"),
            executable: executable::path().map(|path| path.to_string_lossy().into_owned()),
            start: process::start_time(),
            cpus: std::thread::available_parallelism()
                .ok()
                .and_then(|count| u64::try_from(count.get()).ok()),
        }
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
}
