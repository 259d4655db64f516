//! A file of the kernel's that stays open from one sample to the next: finding one
//! in `/proc` takes three times as long as reading it.
//!
//! An application may close every descriptor it knows, ours too, and the kernel may
//! give its number to a file of the application's. So each use looks whether the
//! descriptor is still that of the file that was opened, and one that is not is
//! left alone.

use std::fs::{self, File, Metadata};
use std::os::fd::IntoRawFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// A file or a folder, opened when it is first used.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Device and inode that it had when it was opened.
    identity: (u64, u64),
}

impl Kept {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the kernel tells of it now.
    pub(super) fn metadata(&mut self) -> Option<Metadata> {
        match self.open() {
            Some((_, metadata)) => Some(metadata),
            // No descriptor is free: a path does as well.
            None => fs::metadata(&self.path).ok(),
        }
    }

    /// What one read from its beginning yields: these files come whole.
    pub(super) fn read<'a>(&mut self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        let (file, _) = self.open()?;
        let length = file.read_at(buffer, 0).ok()?;
        buffer.get(..length)
    }

    fn open(&mut self) -> Option<(&File, Metadata)> {
        let metadata = match self.metadata_if_ours() {
            Some(metadata) => metadata,
            None => {
                self.close();
                let file = File::open(&self.path).ok()?;
                let metadata = file.metadata().ok()?;
                let identity = identity(&metadata);
                self.open = Some(Open { file, identity });
                metadata
            }
        };
        Some((&self.open.as_ref()?.file, metadata))
    }

    fn metadata_if_ours(&self) -> Option<Metadata> {
        let open = self.open.as_ref()?;
        let metadata = open.file.metadata().ok()?;
        (identity(&metadata) == open.identity).then_some(metadata)
    }

    /// Closes it, until it is used again.
    pub(super) fn close(&mut self) {
        let is_ours = self.metadata_if_ours().is_some();
        match self.open.take() {
            Some(open) if !is_ours => {
                let _: i32 = open.file.into_raw_fd();
            }
            _ => {}
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.close();
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

    use super::*;

    /// A file of the test's own, deleted at the end.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str, text: &str) -> Self {
            let name = format!("instana-kept-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::write(&path, text).unwrap();
            Self(path)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn descriptor(kept: &mut Kept) -> i32 {
        kept.open().unwrap().0.as_raw_fd()
    }

    #[test]
    fn one_descriptor_tells_what_is_in_it_now() {
        let file = Temporary::new("now", "1");
        let mut kept = Kept::new(file.0.clone());
        let mut buffer = [0; 16];
        let first = descriptor(&mut kept);
        for text in ["1", "two", ""] {
            fs::write(&file.0, text).unwrap();
            assert_eq!(kept.read(&mut buffer), Some(text.as_bytes()));
            assert_eq!(kept.metadata().unwrap().len(), text.len() as u64);
        }
        assert_eq!(descriptor(&mut kept), first);
    }

    #[test]
    fn what_is_not_there_may_come_later() {
        let file = Temporary::new("later", "");
        fs::remove_file(&file.0).unwrap();
        let mut kept = Kept::new(file.0.clone());
        let mut buffer = [0; 16];
        assert!(kept.metadata().is_none() && kept.read(&mut buffer).is_none());
        fs::write(&file.0, "here").unwrap();
        assert_eq!(kept.read(&mut buffer), Some(b"here".as_slice()));
    }

    #[test]
    #[expect(unsafe_code, reason = "plays an application that closes all it knows")]
    fn a_descriptor_that_became_another_files_is_left_alone() {
        let (ours, theirs) = (
            Temporary::new("ours", "us"),
            Temporary::new("theirs", "them"),
        );
        let mut kept = Kept::new(ours.0.clone());
        let number = descriptor(&mut kept);
        let file = File::open(&theirs.0).unwrap();
        // SAFETY: both descriptors are open; `kept` is made for the loss of its own.
        assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), number) }, number);
        let mut buffer = [0; 16];
        assert_eq!(kept.read(&mut buffer), Some(b"us".as_slice()));
        assert_ne!(descriptor(&mut kept), number);
        // Once more, and this time the end finds it so.
        let mut kept = Kept::new(ours.0.clone());
        let second = descriptor(&mut kept);
        // SAFETY: as above.
        assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), second) }, second);
        drop(kept);
        for number in [number, second] {
            // SAFETY: nobody else owns what `dup2` opened.
            let theirs = File::from(unsafe { OwnedFd::from_raw_fd(number) });
            assert_eq!(theirs.metadata().unwrap().len(), 4);
        }
    }
}
