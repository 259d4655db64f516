//! Where a service runs natively: its folder, its ports, its user.

use std::fs::{self, DirBuilder, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::Process;
use crate::service::Service;
use crate::user::User;
use crate::{command, folders};

/// How long a step of a server's preparation may take.
const PREPARE: Duration = Duration::from_secs(120);

/// How often other ports are looked for, and how far away.
const TRIES: u16 = 20;
const STRIDE: u16 = 100;

/// A service's place.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) ports: Vec<u16>,
    /// Who runs the server, where that is not who runs the task.
    pub(crate) user: Option<User>,
    processes: &'static [&'static str],
}

impl Place {
    /// The place of a service that may or may not run. Makes nothing.
    pub(crate) fn of(service: &Service) -> Result<Self, String> {
        let current = User::current()?;
        let user = service.user.filter(|_| current.is_root());
        let user = user.and_then(|name| User::named(name).ok());
        let mut base = folders::target()?.join("services");
        if user.is_some() && !is_open(&base) {
            base = shared_base(&base, current);
        }
        let folder = base.join(service.name);
        let ports = fs::read_to_string(folder.join("ports")).unwrap_or_default();
        let ports: Vec<u16> = ports.lines().filter_map(|port| port.parse().ok()).collect();
        let preferred = service.ports;
        Ok(Self {
            folder,
            ports: match ports.len() == preferred.len() {
                true => ports,
                false => preferred.to_vec(),
            },
            user,
            processes: service.processes,
        })
    }

    pub(crate) fn processes(&self) -> impl Iterator<Item = Process> {
        let processes = self.processes.iter();
        processes.map(|name| Process::new(&self.folder, name))
    }

    /// Makes the folder and takes ports that are free.
    pub(crate) fn settle(&mut self, preferred: &[u16]) -> Result<(), String> {
        self.make_folder()?;
        self.ports = free_ports(preferred)?;
        let text: String = self.ports.iter().map(|port| format!("{port}\n")).collect();
        let file = self.folder.join("ports");
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
    }

    pub(crate) fn port(&self, index: usize) -> u16 {
        self.ports.get(index).copied().unwrap_or_default()
    }

    /// `host:port`.
    pub(crate) fn address(&self, index: usize) -> String {
        format!("127.0.0.1:{}", self.port(index))
    }

    /// A folder of the server's own inside the service's, empty and new.
    pub(crate) fn new_folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        let failed = |error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        let mut builder = DirBuilder::new();
        builder.mode(0o700).create(&folder).map_err(failed)?;
        if let Some(user) = self.user {
            chown(&folder, Some(user.uid), Some(user.gid)).map_err(failed)?;
        }
        Ok(folder)
    }

    /// The folder with the server's data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes the data where there are none: `fill` gets an empty folder, which becomes the
    /// data's when it is filled.
    pub(crate) fn make_data(
        &self,
        fill: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<(), String> {
        let data = self.data();
        if data.exists() {
            return Ok(());
        }
        let new = self.new_folder("data.new")?;
        fill(&new)?;
        fs::rename(&new, &data).map_err(|error| format!("{}: {error}", data.display()))
    }

    /// Runs a step of the preparation as the server's user.
    pub(crate) fn run(&self, what: &str, step: Command) -> Result<(), String> {
        self.run_with(what, step, Stdio::null())
    }

    /// As [`run`](Self::run), with standard input.
    pub(crate) fn run_with(
        &self,
        what: &str,
        mut step: Command,
        input: Stdio,
    ) -> Result<(), String> {
        if let Some(user) = self.user {
            step.gid(user.gid).uid(user.uid);
        }
        step.current_dir(&self.folder).stdin(input);
        command::run(what, step, &self.folder.join("prepare.log"), PREPARE)
    }

    /// Writes a file that the server reads, or writes to.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let file = self.folder.join(name);
        let failed = |error| format!("{}: {error}", file.display());
        fs::write(&file, text).map_err(failed)?;
        if let Some(user) = self.user {
            chown(&file, Some(user.uid), Some(user.gid)).map_err(failed)?;
        }
        Ok(file)
    }

    /// As standard input of a step.
    pub(crate) fn input(&self, name: &str, text: &str) -> Result<Stdio, String> {
        let file = self.write(name, text)?;
        let open = fs::File::open(&file);
        open.map(Stdio::from)
            .map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Removes the service's folder.
    pub(crate) fn purge(&self) -> Result<(), String> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("{}: {error}", self.folder.display()))
            }
            _ => {
                // The folder around it goes with the last one.
                let _ = self.folder.parent().map(fs::remove_dir);
                Ok(())
            }
        }
    }

    fn make_folder(&self) -> Result<(), String> {
        let failed = |error| format!("{}: {error}", self.folder.display());
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let Some(base) = self.folder.parent() else {
            return Ok(());
        };
        for folder in [base, &self.folder] {
            // In a folder where everybody may write, it could be anybody's.
            let metadata = fs::symlink_metadata(folder).map_err(failed)?;
            if !metadata.is_dir() || metadata.uid() != User::current()?.uid {
                return Err(format!("{}: belongs to somebody else", folder.display()));
            }
            fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(failed)?;
        }
        Ok(())
    }
}

/// Whether other users get to a folder that may not be there yet.
fn is_open(folder: &Path) -> bool {
    let is_open = |folder: &Path| match fs::metadata(folder) {
        Ok(metadata) => metadata.mode() & 0o001 != 0,
        Err(_) => true,
    };
    folder.ancestors().all(is_open)
}

/// In place of a folder that other users do not get to, one of this clone's own
/// where they do.
fn shared_base(base: &Path, current: User) -> PathBuf {
    let clone = base.display().to_string().replace('/', "-");
    PathBuf::from(format!("/var/tmp/instana-services-{}{clone}", current.uid))
}

fn free_ports(preferred: &[u16]) -> Result<Vec<u16>, String> {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let candidates = (0..TRIES).map(|n| {
        let ports = preferred.iter().map(|port| port + n * STRIDE);
        ports.collect::<Vec<u16>>()
    });
    candidates
        .into_iter()
        .find(|ports| ports.iter().all(is_free))
        .ok_or_else(|| format!("ports {preferred:?} are taken, and {TRIES} others"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_are_taken_are_left() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        if let Ok(ports) = free_ports(&[port]) {
            let [other] = ports[..] else {
                panic!("{ports:?}")
            };
            assert_ne!(other, port);
            assert_eq!((other - port) % STRIDE, 0);
        }
    }

    #[test]
    fn folders_of_clones_differ() {
        let user = User { uid: 0, gid: 0 };
        let base = shared_base(Path::new("/root/a/target/services"), user);
        let expected = "/var/tmp/instana-services-0-root-a-target-services";
        assert_eq!(base, Path::new(expected));
    }

    #[test]
    fn closed_folders_are_found_above() {
        let folder = std::env::temp_dir().join(format!("xtask-place-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&folder).unwrap();
        let below = folder.join("target/services");
        assert!(!is_open(&below));
        fs::set_permissions(&folder, Permissions::from_mode(0o711)).unwrap();
        assert!(is_open(&below));
        fs::remove_dir_all(folder).unwrap();
    }
}
