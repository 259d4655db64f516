//! Users of the machine.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// Somebody in `/etc/passwd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// Who runs this task.
    pub(crate) fn current() -> Result<Self, String> {
        let own = fs::metadata("/proc/self").map_err(|error| format!("/proc/self: {error}"))?;
        Ok(Self {
            uid: own.uid(),
            gid: own.gid(),
        })
    }

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let file = "/etc/passwd";
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        Self::find(&text, name).ok_or_else(|| format!("there is no user `{name}` in {file}"))
    }

    pub(crate) fn is_root(self) -> bool {
        self.uid == 0
    }

    fn find(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2);
        Some(Self {
            uid: ids.next()?.parse().ok()?,
            gid: ids.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:,,,:/var:/bin/bash\n";
        let postgres = User { uid: 101, gid: 104 };
        assert_eq!(User::find(passwd, "postgres"), Some(postgres));
        assert_eq!(User::find(passwd, "post"), None);
        assert_eq!(User::find("broken:x:one:2:\n", "broken"), None);
    }
}
