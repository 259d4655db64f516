//! A descriptor that we keep for longer than one call: of a socket, or of a file of
//! the kernel's.
//!
//! An application may close every descriptor there is (`close_range`, the first steps of
//! a daemon) or put another file in the place of ours (`dup2`), and the kernel gives a
//! free number to the next file that is opened. So each use looks whether the number
//! still stands for what was opened. What is not ours any more is neither read nor
//! written nor closed; its owner opens another one. Between that look and the system call
//! behind it are some hundred nanoseconds in which the application can still do it: no
//! system call does both.
#![expect(
    unsafe_code,
    reason = "std tells the identity of files only; a socket is looked at as if it were one"
)]

use std::fs::{File, Metadata};
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::log;

/// What may be written to or read from because of its number: 0, 1 and 2.
const LAST_STANDARD: i32 = 2;

/// The bits of a mode that say what kind of file it is.
const KIND: u32 = 0o170_000;

/// Descriptors of ours that were closed or replaced by somebody else.
static LOST: AtomicU64 = AtomicU64::new(0);

/// How many descriptors of ours somebody else has closed or replaced.
pub(crate) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// An open descriptor of a number above 2, as long as that number is ours.
#[derive(Debug)]
pub(crate) struct Descriptor<T: AsFd + Into<OwnedFd>> {
    open: Option<T>,
    identity: Identity,
}

/// What a number stood for when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    /// Socket, file and the like.
    kind: u32,
}

impl<T: AsFd + From<OwnedFd> + Into<OwnedFd>> Descriptor<T> {
    /// Takes what was just opened, close-on-exec. One of the three standard numbers is
    /// exchanged for a higher one.
    pub(crate) fn new(open: T) -> io::Result<Self> {
        let open = if open.as_fd().as_raw_fd() <= LAST_STANDARD {
            // Duplicates that std makes are above 2 and close-on-exec.
            T::from(open.as_fd().try_clone_to_owned()?)
        } else {
            open
        };
        let identity = Identity::of(&metadata(open.as_fd())?);
        Ok(Self {
            open: Some(open),
            identity,
        })
    }
}

impl<T: AsFd + Into<OwnedFd>> Descriptor<T> {
    /// What was opened; `None` where the number is not ours any more.
    pub(crate) fn get(&mut self) -> Option<&T> {
        self.metadata()?;
        self.open.as_ref()
    }

    /// What the kernel says of it now; `None` where the number is not ours any more.
    pub(crate) fn metadata(&mut self) -> Option<Metadata> {
        let found = metadata(self.open.as_ref()?.as_fd()).ok();
        let ours = found.filter(|metadata| Identity::of(metadata) == self.identity);
        if ours.is_none() {
            self.leave();
        }
        ours
    }

    /// Forgets the number without closing it: another owner has it, or nobody.
    #[cold]
    fn leave(&mut self) {
        if let Some(open) = self.open.take() {
            let _: i32 = open.into().into_raw_fd();
            if LOST.fetch_add(1, Ordering::Relaxed) == 0 {
                log::warn(format_args!(
                    "the application closed or replaced a descriptor of the tracer, which opens \
                     another one: descriptors are best closed by their owners, or before init"
                ));
            }
        }
    }
}

impl<T: AsFd + Into<OwnedFd>> Drop for Descriptor<T> {
    fn drop(&mut self) {
        // Leaves what is not ours; what remains is closed.
        self.metadata();
    }
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            kind: metadata.mode() & KIND,
        }
    }
}

fn metadata(descriptor: BorrowedFd<'_>) -> io::Result<Metadata> {
    // SAFETY: the file is never dropped, so it closes nothing; of a number that is not
    // open, the system call says so.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor.as_raw_fd()) });
    file.metadata()
}

#[cfg(test)]
mod tests;
