//! Servers that are there already: their URLs are in the environment.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// How long it may take to answer what is sent on one.
const ANSWER: Duration = Duration::from_secs(10);

/// Whether each server of a variable's value accepts connections. An error
/// names the variable and the address, and nothing else of the value.
pub(crate) fn check(variable: &str, value: &str) -> Result<(), String> {
    for address in addresses(value).map_err(|error| format!("{variable}: {error}"))? {
        open(&address).map_err(|error| format!("{variable}: {address}: {error}"))?;
    }
    Ok(())
}

/// Opens a connection, to one of the addresses that a name has; reading and writing end within
/// 10 s.
pub(crate) fn open(address: &str) -> Result<TcpStream, String> {
    let found = address.to_socket_addrs().map_err(|e| e.to_string())?;
    let mut error = "this name has no address".to_owned();
    for address in found {
        let connected = TcpStream::connect_timeout(&address, CONNECT).and_then(|stream| {
            stream.set_read_timeout(Some(ANSWER))?;
            stream.set_write_timeout(Some(ANSWER))?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => return Ok(stream),
            Err(refused) => error = refused.to_string(),
        }
    }
    Err(error)
}

/// `host:port` of each URL; commas separate them.
fn addresses(value: &str) -> Result<Vec<String>, &'static str> {
    value.split(',').map(|url| address(url.trim())).collect()
}

fn address(url: &str) -> Result<String, &'static str> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    // Colons in brackets are an IPv6 address's.
    let after_brackets = host.rfind(']').map_or(0, |at| at + 1);
    let port = host.get(after_brackets..).unwrap_or_default();
    let port = match port.rsplit_once(':') {
        Some((_, port)) => Some(port.parse::<u16>().map_err(|_| "no port after the colon")?),
        None => None,
    };
    if host.is_empty() || host.starts_with(':') {
        return Err("there is no host in it");
    }
    match port.map_or_else(|| default_port(scheme), |_| Some(0)) {
        None => Err("there is no port in it"),
        Some(0) => Ok(host.to_owned()),
        Some(port) => Ok(format!("{host}:{port}")),
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "mariadb" | "mysql" => Some(3306),
        "postgres" | "postgresql" => Some(5432),
        "redis" | "rediss" => Some(6379),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn hosts_and_ports_are_found_in_urls() {
        let cases = [
            ("postgres://u:p@db:5433/shop?x=1", Ok("db:5433")),
            ("postgresql://u:p%40@db/shop", Ok("db:5432")),
            ("mysql://u:a@b@db/shop", Ok("db:3306")),
            ("redis://[::1]/2", Ok("[::1]:6379")),
            ("redis://[::1]:7000", Ok("[::1]:7000")),
            ("127.0.0.1:9092", Ok("127.0.0.1:9092")),
            ("http://localhost:5566", Ok("localhost:5566")),
            ("localhost", Err("there is no port in it")),
            ("redis://:secret@", Err("there is no host in it")),
            ("redis://:6379", Err("there is no host in it")),
            ("redis://host:port", Err("no port after the colon")),
            ("", Err("there is no host in it")),
        ];
        for (url, expected) in cases {
            assert_eq!(address(url), expected.map(str::to_owned), "{url}");
        }
        let both = addresses("redis://a:1, redis://b:2");
        assert_eq!(both, Ok(vec!["a:1".to_owned(), "b:2".to_owned()]));
    }

    #[test]
    fn a_server_that_is_not_there_is_an_error_without_the_password() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("postgres://shop:hidden@127.0.0.1:{port}/shop");
        assert_eq!(check("POSTGRES_URL", &url), Ok(()));
        drop(listener);
        let error = check("POSTGRES_URL", &url).unwrap_err();
        let start = format!("POSTGRES_URL: 127.0.0.1:{port}: ");
        assert!(error.starts_with(&start), "{error}");
        assert!(!error.contains("hidden"), "{error}");
    }
}
