//! Where the agent is, or may be.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// A host and a port as they were configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
    authority: String,
}

impl Address {
    /// `host` is a name, an IPv4 address or an IPv6 address, with or without brackets.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let host = host.trim();
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host).to_owned();
        let authority = match host.split_once('%') {
            // A zone means something on this machine only (RFC 9110, 7.2).
            Some((address, _)) if address.contains(':') => format!("[{address}]:{port}"),
            _ if host.contains(':') => format!("[{host}]:{port}"),
            _ => format!("{host}:{port}"),
        };
        Self {
            host,
            port,
            authority,
        }
    }

    /// What stands in `Host`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The address, where the host is one and not a name.
    pub(crate) fn literal(&self) -> Option<SocketAddr> {
        let address = self.host.parse::<IpAddr>().ok()?;
        Some(SocketAddr::new(address, self.port))
    }

    /// All socket addresses of the host. A name is looked up by the system's
    /// resolver, which knows no deadline: with a name server that does not
    /// answer this takes as long as the system is set to (often 5 to 30 s).
    pub(crate) fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = self.literal() {
            return Ok(vec![address]);
        }
        // What would break the request's head is no host.
        if self.host.is_empty() || !self.host.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a host name"));
        }
        // The resolver has locks of its own, also over a fork.
        let find = || (self.host.as_str(), self.port).to_socket_addrs();
        Ok(crate::base::external::call(find)?.collect())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn hosts_in_every_form() {
        #[rustfmt::skip]
        let table = [
            ("127.0.0.1", "127.0.0.1", "127.0.0.1:42699"),
            (" agent.local ", "agent.local", "agent.local:42699"),
            ("::1", "::1", "[::1]:42699"),
            ("[::1]", "::1", "[::1]:42699"),
            ("fe80::1%eth0", "fe80::1%eth0", "[fe80::1]:42699"),
        ];
        for (host, inner, authority) in table {
            let address = Address::new(host, 42699);
            assert_eq!(
                (address.host.as_str(), address.to_string().as_str()),
                (inner, authority)
            );
        }
        let v4 = Address::new("10.0.0.1", 1).resolve().unwrap();
        assert_eq!(v4, [SocketAddr::new(Ipv4Addr::new(10, 0, 0, 1).into(), 1)]);
        let v6 = Address::new("[::1]", 1).resolve().unwrap();
        assert_eq!(v6, [SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 1)]);
    }

    #[test]
    fn what_would_break_a_request_is_no_host() {
        for host in ["", "a b", "a\r\nX: y", "ünïcode"] {
            assert!(Address::new(host, 1).resolve().is_err(), "{host:?}");
        }
    }
}
