//! A socket that we keep for longer than one call, where sockets have no numbers that
//! others could take for theirs.

use std::io;

/// How many descriptors of ours somebody else has closed or replaced.
pub(crate) fn lost() -> u64 {
    0
}

/// An open socket.
#[derive(Debug)]
pub(crate) struct Descriptor<T>(T);

impl<T> Descriptor<T> {
    /// Takes what was just opened.
    pub(crate) fn new(open: T) -> io::Result<Self> {
        Ok(Self(open))
    }

    /// What was opened.
    pub(crate) fn get(&mut self) -> Option<&T> {
        Some(&self.0)
    }
}
