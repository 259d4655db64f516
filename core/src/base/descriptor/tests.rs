use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crate::base::descriptor::*;

/// What an application does to a number that is not its own.
#[derive(Clone, Copy, Debug)]
enum Theft {
    /// `close`, and the number is given to a file.
    File,
    /// `dup2` of a socket of the same kind.
    Socket,
}

fn number<T: AsFd + Into<OwnedFd>>(descriptor: &Descriptor<T>) -> i32 {
    descriptor.open.as_ref().unwrap().as_fd().as_raw_fd()
}

/// Puts `theirs` in the place of a number; the test owns what is there from then on.
fn replace(number: i32, theirs: &impl AsFd) -> OwnedFd {
    let theirs = theirs.as_fd().as_raw_fd();
    // SAFETY: both are open, and whoever owned `number` is made for losing it.
    let result = unsafe { libc::dup2(theirs, number) };
    assert_eq!(result, number);
    // SAFETY: nobody else owns what `dup2` opened.
    unsafe { OwnedFd::from_raw_fd(number) }
}

#[test]
fn what_is_not_ours_any_more_is_left_alone() {
    for theft in [Theft::File, Theft::Socket] {
        for is_used in [true, false] {
            let (ours, _peer) = UnixStream::pair().unwrap();
            let (theirs, mut other) = UnixStream::pair().unwrap();
            let file = File::open("/dev/null").unwrap();
            let mut descriptor = Descriptor::new(ours).unwrap();
            let number = number(&descriptor);
            let before = lost();
            let stolen = match theft {
                Theft::File => replace(number, &file),
                Theft::Socket => replace(number, &theirs),
            };
            if is_used {
                assert!(descriptor.get().is_none(), "{theft:?}");
                assert!(descriptor.get().is_none(), "it stays lost");
            }
            drop(descriptor);
            assert!(lost() > before, "{theft:?} is counted");
            // Still open, and nothing was written to it.
            assert!(metadata(stolen.as_fd()).is_ok(), "{theft:?} {is_used}");
            if matches!(theft, Theft::Socket) {
                UnixStream::from(stolen).write_all(b"x").unwrap();
                let mut byte = [0];
                other.read_exact(&mut byte).unwrap();
                assert_eq!(&byte, b"x");
            }
        }
    }
}

#[test]
fn what_is_ours_is_used_and_closed() {
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let mut descriptor = Descriptor::new(ours).unwrap();
    let mut stream = descriptor.get().unwrap();
    stream.write_all(b"x").unwrap();
    drop(descriptor);
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"x", "closed behind it");
}
