//! A file of the kernel's that stays open from one sample to the next: finding one
//! in `/proc` takes three times as long as reading it.
//!
//! An application may close every descriptor it knows, ours too: then it is opened
//! again.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::base::descriptor::Descriptor;

/// A file or a folder, opened when it is first used.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    open: Option<Descriptor<File>>,
}

impl OpenFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its content now.
    pub(super) fn metadata(&mut self) -> Option<Metadata> {
        let known = self.open.as_mut().and_then(Descriptor::metadata);
        if known.is_some() {
            return known;
        }
        match self.reopen() {
            Some(open) => open.metadata(),
            // No descriptor is free: a path does as well.
            None => fs::metadata(&self.path).ok(),
        }
    }

    /// What one read from its beginning yields: these files come whole.
    pub(super) fn read<'a>(&mut self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        let known = self.open.as_mut().and_then(Descriptor::get);
        let read = known.map(|file| file.read_at(buffer, 0));
        let length = match read {
            Some(read) => read.ok()?,
            None => self.reopen()?.get()?.read_at(buffer, 0).ok()?,
        };
        buffer.get(..length)
    }

    fn reopen(&mut self) -> Option<&mut Descriptor<File>> {
        let file = File::open(&self.path).ok()?;
        self.open = None;
        Some(self.open.insert(Descriptor::new(file).ok()?))
    }

    /// Closes it, until it is used again.
    pub(super) fn close(&mut self) {
        self.open = None;
    }
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

    fn descriptor(kept: &mut OpenFile) -> i32 {
        assert!(kept.metadata().is_some());
        kept.open.as_mut().unwrap().get().unwrap().as_raw_fd()
    }

    #[test]
    fn one_descriptor_tells_what_is_in_it_now() {
        let file = Temporary::new("now", "1");
        let mut kept = OpenFile::new(file.0.clone());
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
        let mut kept = OpenFile::new(file.0.clone());
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
        let mut kept = OpenFile::new(ours.0.clone());
        let number = descriptor(&mut kept);
        let file = File::open(&theirs.0).unwrap();
        // SAFETY: both descriptors are open; `kept` is made for the loss of its own.
        assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), number) }, number);
        let mut buffer = [0; 16];
        assert_eq!(kept.read(&mut buffer), Some(b"us".as_slice()));
        assert_ne!(descriptor(&mut kept), number);
        // Once more, and this time the end finds it so.
        let mut kept = OpenFile::new(ours.0.clone());
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
