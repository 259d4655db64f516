//! Debian's packages.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::user::User;
use crate::{command, packages, variables};

/// How long `apt-get` may take, and how long it waits for another one.
const LIMIT: Duration = Duration::from_secs(900);
const LOCK: &str = "DPkg::Lock::Timeout=300";

/// Packages, and the names their servers have for the init system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packages {
    pub(crate) names: &'static [&'static str],
    pub(crate) units: &'static [&'static str],
}

/// Installs packages; none of their servers is started, now or at boot. Only
/// root can.
pub(crate) fn install(wanted: &[Packages]) -> Result<(), String> {
    let mut names: Vec<&str> = wanted.iter().flat_map(|w| w.names).copied().collect();
    names.sort_unstable();
    names.dedup();
    let names_text = names.join(" ");
    if !User::current()?.is_root() || find_program("apt-get").is_none() {
        return Err(format!(
            "needs Debian's packages {names_text}: root can `apt-get install {names_text}`"
        ));
    }
    eprintln!("installing Debian's packages {names_text}");
    let log = packages::target()?.join("apt-get.log");
    let apt_get = |arguments: &[&str]| {
        let mut apt_get = Command::new("apt-get");
        apt_get.args(arguments).args(["-o", LOCK]);
        apt_get
            .stdin(Stdio::null())
            .env("DEBIAN_FRONTEND", "noninteractive");
        command::run(&format!("apt-get {names_text}"), apt_get, &log, LIMIT)
    };
    let quiet = NoAutostart::begin()?;
    // Where the lists cannot be fetched, those that are there decide.
    let _ = apt_get(&["update"]);
    let options = ["install", "--yes", "--no-install-recommends"];
    let installed = apt_get(&[&options[..], &names].concat());
    drop(quiet);
    installed?;
    for unit in wanted.iter().flat_map(|wanted| wanted.units) {
        let mut disable = Command::new("update-rc.d");
        disable.args([unit, "disable"]).stdin(Stdio::null());
        let what = format!("update-rc.d {unit} disable");
        command::run(&what, disable, &log, LIMIT)?;
    }
    Ok(())
}

/// Where a program is: in `PATH`, or where Debian keeps servers.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = variables::value("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    folders
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
}

/// What packages ask whether they may start their server.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const POLICY_BEFORE: &str = "/usr/sbin/policy-rc.d.before-instana";
const POLICY_NEVER: &str = "#!/bin/sh\n# Here for one apt-get of `cargo xtask`.\nexit 101\n";

/// While it lives, packages do not start their servers.
struct NoAutostart {
    is_ours: bool,
}

impl NoAutostart {
    fn begin() -> Result<Self, String> {
        let policy = Path::new(POLICY);
        if forbids(policy) {
            // Ours may be what an earlier task that was killed has left.
            let is_ours = fs::read_to_string(policy).is_ok_and(|text| text == POLICY_NEVER);
            return Ok(Self { is_ours });
        }
        let failed = |error| format!("{POLICY}: {error}");
        if policy.exists() {
            fs::rename(policy, POLICY_BEFORE).map_err(failed)?;
        }
        let guard = Self { is_ours: true };
        fs::write(policy, POLICY_NEVER).map_err(failed)?;
        fs::set_permissions(policy, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(guard)
    }
}

impl Drop for NoAutostart {
    fn drop(&mut self) {
        if !self.is_ours {
            return;
        }
        let restored = match Path::new(POLICY_BEFORE).exists() {
            true => fs::rename(POLICY_BEFORE, POLICY),
            false => fs::remove_file(POLICY),
        };
        if let Err(error) = restored {
            eprintln!("{POLICY} could not be restored: {error}");
        }
    }
}

/// Whether a policy keeps every server from starting.
fn forbids(policy: &Path) -> bool {
    let mut ask = Command::new(policy);
    ask.args(["instana-test", "start"]);
    ask.stdin(Stdio::null()).stdout(Stdio::null());
    ask.stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.code() == Some(101))
}
