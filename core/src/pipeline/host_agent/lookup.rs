//! Where the agent may be, and whether what answers there is one
//! (docs/PROTOCOL.md, "Lookup").

use std::fmt;
use std::io::Read;
use std::net::Ipv4Addr;

use crate::pipeline::host_agent::http::Response;

/// The routing table of our own network namespace.
const ROUTES: &str = "/proc/self/net/route";
/// The most of it that is read, in bytes.
const MAX_ROUTES: u64 = 256 * 1024;

/// Why an answer to the lookup is not an agent's. `Display` continues a
/// sentence that starts with the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 2xx, but the body is not JSON.
    NotJson(u16),
    /// 2xx and JSON, but no object with a `version`.
    NoVersion(u16),
    /// Not 2xx; a redirect is not followed.
    Status(u16),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(status) => write!(
                f,
                "answered {status}, but not as an Instana agent: the body is not JSON"
            ),
            Self::NoVersion(status) => write!(
                f,
                "answered {status}, but not as an Instana agent: the JSON has no `version`"
            ),
            Self::Status(status) => write!(f, "answered {status}, not as an Instana agent"),
        }
    }
}

/// Node's rule: 2xx and a JSON object with `version`, which keeps an unrelated
/// HTTP server behind the gateway from being used. Go and Python take any 2xx.
pub(crate) fn accept(response: &Response) -> Result<(), Refusal> {
    let status = response.status;
    if !response.is_success() {
        return Err(Refusal::Status(status));
    }
    match serde_json::from_slice::<serde_json::Value>(&response.body) {
        Ok(answer) if answer.get("version").is_some() => Ok(()),
        Ok(_) => Err(Refusal::NoVersion(status)),
        Err(_) => Err(Refusal::NotJson(status)),
    }
}

/// The hosts to ask, in this order: the configured one, then the gateway.
pub(crate) fn candidates(configured: &str, gateway: Option<Ipv4Addr>) -> Vec<String> {
    let mut hosts = vec![configured.to_owned()];
    let gateway = gateway.map(|address| address.to_string());
    hosts.extend(gateway.filter(|host| host != configured));
    hosts
}

/// The default gateway now; read anew each time, because networks change.
/// `None` on systems without `/proc`.
pub(crate) fn default_gateway() -> Option<Ipv4Addr> {
    let file = std::fs::File::open(ROUTES).ok()?;
    let mut table = String::new();
    file.take(MAX_ROUTES).read_to_string(&mut table).ok()?;
    gateway(&table)
}

/// The gateway of the first default route (destination `00000000`): eight hex
/// digits in the machine's byte order, which on the systems that have an agent
/// is little endian. A default route without a gateway (point to point) is
/// none.
fn gateway(table: &str) -> Option<Ipv4Addr> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let destination = fields.next()?;
        let gateway = fields.next()?;
        let hexadecimal = gateway.bytes().all(|byte| byte.is_ascii_hexdigit());
        if destination != "00000000" || gateway.len() != 8 || !hexadecimal {
            return None;
        }
        let address = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_le_bytes());
        (!address.is_unspecified()).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_agent() {
        let deep = "[".repeat(100_000);
        let page = "<html>It works</html>";
        #[rustfmt::skip]
        let table = [
            (200, r#"{"version":"1.1.999"}"#, Ok(())),
            (204, r#"{"version":null}"#, Ok(())),
            (200, "", Err(Refusal::NotJson(200))),
            (200, page, Err(Refusal::NotJson(200))),
            (200, deep.as_str(), Err(Refusal::NotJson(200))),
            (200, "{}", Err(Refusal::NoVersion(200))),
            (200, r#"["version"]"#, Err(Refusal::NoVersion(200))),
            (200, r#""version""#, Err(Refusal::NoVersion(200))),
            (301, page, Err(Refusal::Status(301))),
            (404, r#"{"version":"1"}"#, Err(Refusal::Status(404))),
            (503, "", Err(Refusal::Status(503))),
        ];
        for (status, body, expected) in table {
            let body = body.as_bytes().to_vec();
            let response = Response {
                status,
                body,
                ..Response::default()
            };
            assert_eq!(accept(&response), expected, "{response:?}");
        }
    }

    #[test]
    fn refusals_in_words() {
        for (refusal, words) in [
            (
                Refusal::NotJson(200),
                "answered 200, but not as an Instana agent: the body is not JSON",
            ),
            (
                Refusal::NoVersion(200),
                "answered 200, but not as an Instana agent: the JSON has no `version`",
            ),
            (
                Refusal::Status(301),
                "answered 301, not as an Instana agent",
            ),
        ] {
            assert_eq!(refusal.to_string(), words);
        }
    }

    #[test]
    fn gateways_in_routing_tables() {
        const HEAD: &str = "Iface\tDestination\tGateway \tFlags\n";
        let address = |a, b, c, d| Some(Ipv4Addr::new(a, b, c, d));
        #[rustfmt::skip]
        let table = [
            ("eth0\t00000000\t0101A8C0\t0003\n", address(192, 168, 1, 1)),
            ("eth0\t0000FEA9\t00000000\t0001\neth0\t00000000\t010011ac\t0003\n", address(172, 17, 0, 1)),
            ("eth0\t00000000\t0101A8C0\t0003\neth1\t00000000\t0201A8C0\t0003\n", address(192, 168, 1, 1)),
            ("ppp0\t00000000\t00000000\t0001\neth1\t00000000\t0201A8C0\t0003\n", address(192, 168, 1, 2)),
            ("eth0\t00000000\t0101A8C\t0003\neth1\t00000000\t0201A8C0\t0003\n", address(192, 168, 1, 2)),
            ("eth0\t00000000\t0101A8C00\t0003\n", None),
            ("eth0\t00000000\t+101A8C0\t0003\n", None),
            ("eth0\t00000000\tzzzzzzzz\t0003\n", None),
            ("eth0\t00000000\n\n \nx\n", None),
            ("eth0\t0001A8C0\t0101A8C0\t0001\n", None),
            ("", None),
        ];
        for (lines, expected) in table {
            assert_eq!(gateway(&format!("{HEAD}{lines}")), expected, "{lines:?}");
        }
        assert_eq!(gateway(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_table_of_this_machine() {
        let table = std::fs::read_to_string(ROUTES).unwrap_or_default();
        assert_eq!(default_gateway(), gateway(&table));
    }

    #[test]
    fn each_host_is_asked_once() {
        let gateway = Some(Ipv4Addr::new(172, 17, 0, 1));
        for (configured, gateway, expected) in [
            ("127.0.0.1", None, vec!["127.0.0.1"]),
            ("127.0.0.1", gateway, vec!["127.0.0.1", "172.17.0.1"]),
            ("172.17.0.1", gateway, vec!["172.17.0.1"]),
        ] {
            assert_eq!(candidates(configured, gateway), expected);
        }
    }
}
