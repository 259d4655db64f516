//! The target of a connection's commands.

use std::fmt;
use std::sync::Arc;

use instana::Span;
use instana::span::Preset;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::exit::Redis;

/// The target of commands, as spans show it: `host:port` or the path of a socket, and
/// `/db` behind it if that is not 0. It never has a user or a password.
///
/// It is made from a client, from redis's [`ConnectionInfo`], or from a text: a URL, a
/// connection string of any library, or any text to show. Parts that may be a password
/// are left out.
///
/// ```
/// use instana_redis::Target;
///
/// let target = Target::from("redis://me:geheim@cache/2");
/// assert_eq!(target.to_string(), "cache:6379/2");
/// assert_eq!(Target::from("cache-1:6379").to_string(), "cache-1:6379");
/// ```
#[derive(Clone, Default)]
pub struct Target(Option<Arc<Known>>);

struct Known {
    connection: String,
    /// The connection, as spans take it.
    preset: Preset,
}

impl Target {
    /// A target that spans do not name.
    pub fn unknown() -> Self {
        Self::default()
    }

    fn known(connection: String) -> Self {
        let mut preset = Preset::new();
        Redis::record(&mut preset, |redis| {
            redis.connection(&connection);
        });
        Self(Some(Arc::new(Known { connection, preset })))
    }

    #[inline]
    pub(crate) fn record(&self, span: &mut Span) {
        if let Some(known) = &self.0 {
            span.apply(&known.preset);
        }
    }
}

impl From<&ConnectionInfo> for Target {
    fn from(info: &ConnectionInfo) -> Self {
        let mut text = match info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }
                if host.contains(':') && !host.starts_with('[') =>
            {
                format!("[{host}]:{port}")
            }
            address => address.to_string(),
        };
        let db = info.redis_settings().db();
        if db != 0 {
            text.push_str(&format!("/{db}"));
        }
        Self::known(text)
    }
}

impl From<&redis::Client> for Target {
    fn from(client: &redis::Client) -> Self {
        Self::from(client.get_connection_info())
    }
}

impl From<&Self> for Target {
    fn from(target: &Self) -> Self {
        target.clone()
    }
}

impl From<&str> for Target {
    fn from(text: &str) -> Self {
        match text.into_connection_info() {
            Ok(info) => Self::from(&info),
            Err(_) => match shown(text) {
                text if text.is_empty() => Self::unknown(),
                text => Self::known(text),
            },
        }
    }
}

impl From<String> for Target {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(known) => f.write_str(&known.connection),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = self.0.as_ref().map(|known| &known.connection);
        f.debug_tuple("Target").field(&connection).finish()
    }
}

/// A text that is no URL for redis may look like one, or be a connection string of another
/// library: pairs such as `host=c password=x` or `c:6380,password=x`. Only pairs that are
/// known to be an address are shown, so a password is not.
fn shown(text: &str) -> String {
    let address = text.rsplit('@').next().unwrap_or_default();
    let address = address.split("://").last().unwrap_or_default();
    let address = address.split(['?', '#']).next().unwrap_or_default();
    if address.contains('=') {
        return of_pairs(address);
    }
    let is_plain = |character: char| !"\"'`{}".contains(character);
    if !address.chars().all(is_plain) || address.contains(": ") || has_secret_word(address) {
        return String::new();
    }
    let parts: Vec<&str> = address.split(',').map(without_word).collect();
    parts.join(",")
}

/// Parts that are no pairs count only before the first pair: behind it, they may be the
/// rest of a value.
fn of_pairs(text: &str) -> String {
    let is_separator: fn(char) -> bool = match text.contains([',', ';']) {
        true => |character| matches!(character, ',' | ';'),
        false => char::is_whitespace,
    };
    // As in `host = c`.
    let tight: Vec<&str> = text.split('=').map(str::trim).collect();
    let tight = tight.join("=");
    let mut hosts = Vec::new();
    let mut port = None;
    let mut has_pairs = false;
    for part in tight.split(is_separator).map(str::trim) {
        match part.split_once('=') {
            Some((key, value)) => {
                has_pairs = true;
                let value = value.trim().trim_matches(['\'', '"']);
                match key.trim().to_ascii_lowercase().as_str() {
                    "host" | "hostname" | "server" | "addr" | "address" | "endpoint" => {
                        hosts.push(without_word(value));
                    }
                    "port" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                        port = Some(value);
                    }
                    _ => {}
                }
            }
            None if !has_pairs && !part.contains(char::is_whitespace) => {
                hosts.push(without_word(part));
            }
            None => {}
        }
    }
    hosts.retain(|host| !host.is_empty());
    let mut shown = hosts.join(",");
    if let Some(port) = port.filter(|_| hosts.len() == 1 && !shown.contains(':')) {
        shown.push(':');
        shown.push_str(port);
    }
    shown
}

/// `host:port/db` without text that some put behind it or in place of the port.
fn without_word(address: &str) -> &str {
    let address = address.trim();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let is_ipv6 = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
    let host = if address.starts_with('[') {
        address.find(']').map_or(address.len(), |at| at + 1)
    } else if is_ipv6(address.split('/').next().unwrap_or_default()) {
        return address;
    } else {
        address.find(':').unwrap_or(address.len())
    };
    let Some(behind) = address.get(host..).and_then(|rest| rest.strip_prefix(':')) else {
        return address;
    };
    let port = digits(behind);
    let rest = behind.get(port..).unwrap_or_default();
    match rest.chars().next() {
        // As in `unix:/run/redis.sock`.
        Some('/') => address,
        _ if port == 0 => address.get(..host).unwrap_or_default(),
        // As in `tcp(host:6379)/0`.
        None | Some(')') => address,
        Some(_) => address.get(..=host + port).unwrap_or_default(),
    }
}

/// A word that a password may follow, in a text with blanks.
fn has_secret_word(text: &str) -> bool {
    const WORDS: [&str; 8] = [
        "password",
        "passwd",
        "pass",
        "pwd",
        "secret",
        "token",
        "auth",
        "requirepass",
    ];
    let mut words = text
        .split_whitespace()
        .map(|word| word.trim_end_matches(':'));
    text.contains(char::is_whitespace)
        && words.any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_server_and_nobody_else() {
        let cases = [
            ("redis://cache", "cache:6379"),
            ("redis://cache:7000/0", "cache:7000"),
            ("rediss://:geheim@cache:7000/3", "cache:7000/3"),
            ("valkey://me:ge%40heim@cache/1", "cache:6379/1"),
            ("redis://[::1]:7000/4", "[::1]:7000/4"),
            (
                "redis+unix:///run/redis.sock?db=2&pass=geheim",
                "/run/redis.sock/2",
            ),
            ("cache-1:6379", "cache-1:6379"),
            ("me:geheim@cache-1:6379/2", "cache-1:6379/2"),
            ("http://me:geheim@cache-1:6379?pass=geheim", "cache-1:6379"),
            ("redis://me:ge@heim@:x/y@cache?a#b", "cache"),
            ("", ""),
            // Pairs.
            ("host=c password=geheim", "c"),
            ("password=geheim host=c port=6380", "c:6380"),
            ("host = c", "c"),
            ("password='ge heim' host=c", "c"),
            ("host=c password=\"ge heim\" port=6380", "c:6380"),
            ("c:6380,password=geheim", "c:6380"),
            ("c:6380,password=ge heim,ssl=true", "c:6380"),
            ("a:1,b:2,password=geheim,abortConnect=false", "a:1,b:2"),
            ("password=geheim,c:6380", ""),
            ("Server=c;Pwd=geheim;Port=6380", "c:6380"),
            ("c password=geheim", "c"),
            ("addr=me:geheim@c:6380", "c:6380"),
            ("user=me", ""),
            // Lists.
            ("a:1,b:2", "a:1,b:2"),
            ("redis://me:geheim@a:1,b:2/0", "a:1,b:2/0"),
            (
                "redis-sentinel://:geheim@a:26379,b:26379/main/0",
                "a:26379,b:26379/main/0",
            ),
            ("redis+cluster://a:1,b:2?password=geheim", "a:1,b:2"),
            ("me:ge,heim@c:6380", "c:6380"),
            ("rediss://me:geheim@a:1,me:geheim@b:2", "b:2"),
            // A word in the place of a port, or behind it.
            ("c:geheim", "c"),
            ("c:6380:geheim", "c:6380"),
            ("[::1]:6380:geheim", "[::1]:6380"),
            ("::1", "::1"),
            ("[::1]:6380", "[::1]:6380"),
            ("me:geheim@tcp(c:6380)/0", "tcp(c:6380)/0"),
            // Other texts.
            ("c password geheim", ""),
            ("requirepass geheim", ""),
            ("host: c, password: geheim", ""),
            ("{\"password\": \"geheim\"}", ""),
            ("{password: geheim}", ""),
            ("/run/redis.sock", "/run/redis.sock"),
            ("unix:///run/redis.sock?password=geheim", "/run/redis.sock"),
            ("unix:/run/redis.sock", "/run/redis.sock"),
            ("keydb-1:6379", "keydb-1:6379"),
            ("auth-cache:6379/2", "auth-cache:6379/2"),
            ("cache of orders", "cache of orders"),
        ];
        for (text, expected) in cases {
            assert_eq!(Target::from(text).to_string(), expected, "{text}");
        }
    }
}
