//! What the commands of a connection go to.

use std::fmt;
use std::sync::Arc;

use instana::Span;
use instana::span::Preset;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::exit::Redis;

/// What commands go to, as spans show it: `host:port` or the path of a socket, and
/// `/db` behind it where that is not 0. Never a user or a password.
///
/// Made of a client, of redis's [`ConnectionInfo`], or of a text: a URL, or what is to
/// be shown.
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
            Err(_) => Self::known(without_credentials(text).to_owned()),
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

/// What is no URL for redis may look like one.
fn without_credentials(text: &str) -> &str {
    let address = text.rsplit('@').next().unwrap_or_default();
    let address = address.split("://").last().unwrap_or_default();
    address.split(['?', '#']).next().unwrap_or_default()
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
        ];
        for (text, expected) in cases {
            assert_eq!(Target::from(text).to_string(), expected, "{text}");
        }
    }
}
