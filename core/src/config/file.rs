//! Configuration files. Reading one never blocks: pipes and devices are
//! refused, and a file is read up to its limit only.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use crate::config::problem;
use crate::config::problem::{Problems, Using};
use crate::config::tree::Tree;
use crate::config::yaml;

/// Bytes of a file (as in Go).
const LARGEST: u64 = 1024 * 1024;

/// Bytes of a path that are shown.
const SHOWN: usize = 512;

/// Reads the file that `variable` names.
pub(crate) fn load(variable: &str, path: &str, problems: &mut Problems) -> Option<Tree> {
    const INSTEAD: Using = Using::Rest("the other sources");
    let text = match read(Path::new(path)) {
        Ok(text) => text,
        Err(error) => {
            let accepted = format!("a file that can be used ({error})");
            problems.value(variable, path, &accepted, INSTEAD);
            return None;
        }
    };
    match yaml::parse(&text) {
        Ok(root) => {
            let path: Arc<str> = problem::safe(variable, path, SHOWN).into();
            Some(Tree::of_file(&path, root))
        }
        Err(error) => {
            let path = problem::safe(variable, path, SHOWN);
            let told = problem::safe("", &error.text, SHOWN);
            problems.add(format!("{path}:{}: not YAML: {told}", error.line), INSTEAD);
            None
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    // Opening a device may do something.
    check(&std::fs::metadata(path)?)?;
    let file = open(path)?;
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8"))
}

fn check(metadata: &std::fs::Metadata) -> io::Result<()> {
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > LARGEST {
        return Err(io::Error::other("larger than 1 MiB"));
    }
    Ok(())
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    // The path may have become a pipe since it was looked at.
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A folder of this test, removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("instana-config-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, content: &[u8]) -> String {
            let path = self.0.join(name);
            std::fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    fn refused(path: &str) -> String {
        let mut problems = Problems::default();
        assert_eq!(load("INSTANA_CONFIG_PATH", path, &mut problems), None);
        problems.lines(|_| String::new()).join("; ")
    }

    #[test]
    fn files_that_cannot_be_used_are_named_with_the_reason() {
        let folder = Folder::new("refused");
        let large = vec![b'#'; LARGEST as usize + 1];
        for (path, reason) in [
            (
                folder.0.join("missing").to_str().unwrap().to_owned(),
                "No such file",
            ),
            (folder.0.to_str().unwrap().to_owned(), "not a regular file"),
            (folder.file("large", &large), "larger than 1 MiB"),
            (folder.file("latin1", b"a: \xe4"), "not UTF-8"),
            (
                folder.file("broken", b"a: 1\nb: [\n"),
                "broken:3: not YAML: ",
            ),
            ("a\0b".to_owned(), "a file that can be used"),
        ] {
            let text = refused(&path);
            assert!(text.contains(reason), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused_and_links_are_followed() {
        let folder = Folder::new("special");
        let pipe = folder.0.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in ["/dev/zero", "/dev/tty", pipe.to_str().unwrap()] {
            let text = refused(path);
            assert!(
                text.contains("not a regular file") || path == "/dev/tty",
                "{text}"
            );
        }
        // Opened without the look before: still without waiting for a writer.
        assert!(!open(&pipe).unwrap().metadata().unwrap().is_file());

        let file = folder.file("file", b"tracing: {disable: x}");
        let link = folder.0.join("link");
        std::os::unix::fs::symlink(file, &link).unwrap();
        let mut problems = Problems::default();
        let tree = load("INSTANA_CONFIG_PATH", link.to_str().unwrap(), &mut problems).unwrap();
        assert_eq!(tree.at("tracing.disable").unwrap().text(), Some("x"));
    }
}
