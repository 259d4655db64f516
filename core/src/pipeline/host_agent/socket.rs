//! Which socket the announce names, so that the agent can find the process
//! across pid namespaces (docs/PROTOCOL.md, "Announce").

use std::net::TcpStream;

/// A connected socket as other processes see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SocketName {
    /// The descriptor's number; a string, as Go and Node send it.
    pub(crate) fd: String,
    /// The text of the descriptor's link, `socket:[N]`.
    pub(crate) inode: String,
}

/// The name of an open socket; `None` where the system has no such names.
pub(crate) fn name(stream: &TcpStream) -> Option<SocketName> {
    system::name(stream)
}

#[cfg(target_os = "linux")]
mod system {
    use std::net::TcpStream;
    use std::os::fd::AsRawFd;

    use super::SocketName;

    pub(super) fn name(stream: &TcpStream) -> Option<SocketName> {
        let fd = stream.as_raw_fd().to_string();
        let link = std::fs::read_link(format!("/proc/self/fd/{fd}")).ok()?;
        let inode = link.to_str()?.to_owned();
        Some(SocketName { fd, inode })
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::net::TcpStream;

    use super::SocketName;

    pub(super) fn name(_stream: &TcpStream) -> Option<SocketName> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn descriptor_and_link_of_a_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let name = name(&stream).unwrap();
        assert_eq!(name.fd, stream.as_raw_fd().to_string());
        assert!(name.inode.starts_with("socket:["), "{name:?}");
    }
}
