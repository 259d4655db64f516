//! Debian's packages.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::user::User;
use crate::{command, folders, variables};

/// How long `apt-get` may take, and how long it waits for another one.
const LIMIT: Duration = Duration::from_secs(900);
const LOCK: &str = "DPkg::Lock::Timeout=300";

/// Installs packages; none of their servers, whose names for the init system are `units`, is
/// started, now or at boot. Only root can.
pub(crate) fn install(names: &[&str], units: &[&str]) -> Result<(), String> {
    let names_text = names.join(" ");
    if !User::current()?.is_root() || find_program("apt-get").is_none() {
        return Err(format!(
            "needs Debian's packages {names_text}: root can `apt-get install {names_text}`"
        ));
    }
    eprintln!("installing Debian's packages {names_text}");
    let log = folders::target()?.join("apt-get.log");
    let apt_get = |arguments: &[&str]| {
        let mut apt_get = Command::new("apt-get");
        apt_get.args(arguments).args(["-o", LOCK]);
        apt_get
            .stdin(Stdio::null())
            .env("DEBIAN_FRONTEND", "noninteractive");
        command::run(&format!("apt-get {names_text}"), apt_get, &log, LIMIT)
    };
    let quiet = NoAutostart::begin(Path::new(POLICY))?;
    // Where the lists cannot be fetched, those that are there decide.
    let _ = apt_get(&["update"]);
    let options = ["install", "--yes", "--no-install-recommends"];
    let installed = apt_get(&[&options[..], names].concat());
    drop(quiet);
    installed?;
    for unit in units {
        let mut disable = Command::new("update-rc.d");
        disable.args([unit, "disable"]).stdin(Stdio::null());
        let what = format!("update-rc.d {unit} disable");
        command::run(&what, disable, &log, LIMIT)?;
    }
    Ok(())
}

/// Whether all of these programs are there.
pub(crate) fn has(programs: &[&str]) -> bool {
    programs.iter().all(|name| find_program(name).is_some())
}

/// A program, where it is there.
pub(crate) fn program(name: &str) -> Result<Command, String> {
    let program = find_program(name).ok_or_else(|| format!("{name} is missing"))?;
    Ok(Command::new(program))
}

/// Where a program is: in `PATH`, or where Debian keeps servers.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = variables::value("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    folders
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
}

/// What packages ask whether they may start their server.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const POLICY_NEVER: &str = "#!/bin/sh\n# Here for one apt-get of `cargo xtask`.\nexit 101\n";

/// While it lives, packages do not start their servers.
struct NoAutostart {
    policy: PathBuf,
    is_ours: bool,
}

impl NoAutostart {
    fn begin(policy: &Path) -> Result<Self, String> {
        // It may be what an earlier task that was killed has left.
        let is_ours = fs::read_to_string(policy).is_ok_and(|text| text == POLICY_NEVER);
        let mut guard = Self {
            policy: policy.to_owned(),
            is_ours,
        };
        if forbids(policy) {
            return Ok(guard);
        }
        let failed = |error| format!("{}: {error}", policy.display());
        if policy.exists() {
            fs::rename(policy, guard.before()).map_err(failed)?;
        }
        guard.is_ours = true;
        fs::write(policy, POLICY_NEVER).map_err(failed)?;
        fs::set_permissions(policy, Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(guard)
    }

    /// Where the policy of the machine waits.
    fn before(&self) -> PathBuf {
        self.policy.with_extension("d.before-instana")
    }
}

impl Drop for NoAutostart {
    fn drop(&mut self) {
        if !self.is_ours {
            return;
        }
        let (policy, before) = (&self.policy, self.before());
        let restored = match before.exists() {
            true => fs::rename(before, policy),
            false => fs::remove_file(policy),
        };
        if let Err(error) = restored {
            eprintln!("{} could not be restored: {error}", policy.display());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_gets_its_policy_back() {
        let folder = std::env::temp_dir().join(format!("xtask-policy-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let policy = folder.join("policy-rc.d");
        let script = |code: u8| format!("#!/bin/sh\nexit {code}\n");
        // Not written here: what another test starts at this moment would keep
        // it open for writing, and such a file cannot be run.
        let write = |text: &str| {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", r#"printf %s "$1" > "$0" && chmod 755 "$0""#]);
            assert!(shell.arg(&policy).arg(text).status().unwrap().success());
        };
        let forbidden_while_it_lives = || {
            let guard = NoAutostart::begin(&policy).unwrap();
            let text = fs::read_to_string(&policy).unwrap();
            assert!(text.ends_with("exit 101\n"), "{text}");
            let mode = fs::metadata(&policy).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755);
            drop(guard);
        };

        forbidden_while_it_lives();
        assert!(!policy.exists());

        // One that allows, one that forbids.
        for code in [0, 101] {
            write(&script(code));
            forbidden_while_it_lives();
            assert_eq!(fs::read_to_string(&policy).unwrap(), script(code));
        }

        // A task was killed in the middle.
        fs::rename(&policy, folder.join("policy-rc.d.before-instana")).unwrap();
        write(POLICY_NEVER);
        forbidden_while_it_lives();
        assert_eq!(fs::read_to_string(&policy).unwrap(), script(101));
        fs::remove_dir_all(folder).unwrap();
    }
}
