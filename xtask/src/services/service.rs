//! What there is to bring up.

/// A server, or a group of servers, that tests and examples talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Postgres,
    MariaDb,
    Redis,
    RedisCluster,
    RedisSentinel,
    Kafka,
    Aws,
}

impl Service {
    pub(crate) const ALL: [Self; 7] = [
        Self::Postgres,
        Self::MariaDb,
        Self::Redis,
        Self::RedisCluster,
        Self::RedisSentinel,
        Self::Kafka,
        Self::Aws,
    ];

    /// What the command line, the folders and `docker-compose.yml` call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
            Self::Redis => "redis",
            Self::RedisCluster => "redis-cluster",
            Self::RedisSentinel => "redis-sentinel",
            Self::Kafka => "kafka",
            Self::Aws => "aws",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|service| service.name() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no service `{name}`; there are {names}")
        })
    }

    /// The variable that has its URL, or several with commas between them.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "POSTGRES_URL",
            Self::MariaDb => "MARIADB_URL",
            Self::Redis => "REDIS_URL",
            Self::RedisCluster => "REDIS_CLUSTER_URLS",
            Self::RedisSentinel => "REDIS_SENTINEL_URLS",
            Self::Kafka => "KAFKA_BROKERS",
            Self::Aws => "AWS_ENDPOINT_URL",
        }
    }

    /// The ports it listens on, none of them anybody's default. In
    /// `docker-compose.yml` they are the same; natively they are others where
    /// one is taken.
    pub(crate) fn ports(self) -> &'static [u16] {
        match self {
            Self::Postgres => &[15432],
            Self::MariaDb => &[13306],
            Self::Redis => &[17379],
            // Three nodes, then what they say among themselves.
            Self::RedisCluster => &[17381, 17382, 17383, 17384, 17385, 17386],
            // The sentinel, then its master.
            Self::RedisSentinel => &[17390, 17391],
            Self::Kafka => &[19092],
            Self::Aws => &[15566],
        }
    }

    /// The value of its variable where it listens on these ports.
    pub(crate) fn urls(self, ports: &[u16]) -> String {
        let (scheme, user, path, count) = match self {
            Self::Postgres => ("postgres://", "shop:not-a-secret@", "/shop", 1),
            Self::MariaDb => ("mysql://", "shop:not-a-secret@", "/shop", 1),
            Self::Redis | Self::RedisSentinel => ("redis://", "", "", 1),
            Self::RedisCluster => ("redis://", "", "", 3),
            Self::Kafka => ("", "", "", 1),
            Self::Aws => ("http://", "", "", 1),
        };
        let urls = ports.iter().take(count);
        let urls = urls.map(|port| format!("{scheme}{user}127.0.0.1:{port}{path}"));
        urls.collect::<Vec<String>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_that_tests_read() {
        let urls = |service: Service| service.urls(service.ports());
        assert_eq!(
            urls(Service::Postgres),
            "postgres://shop:not-a-secret@127.0.0.1:15432/shop"
        );
        assert_eq!(
            urls(Service::MariaDb),
            "mysql://shop:not-a-secret@127.0.0.1:13306/shop"
        );
        assert_eq!(urls(Service::Redis), "redis://127.0.0.1:17379");
        assert_eq!(
            urls(Service::RedisCluster),
            "redis://127.0.0.1:17381,redis://127.0.0.1:17382,redis://127.0.0.1:17383"
        );
        assert_eq!(urls(Service::RedisSentinel), "redis://127.0.0.1:17390");
        assert_eq!(urls(Service::Kafka), "127.0.0.1:19092");
        assert_eq!(urls(Service::Aws), "http://127.0.0.1:15566");
    }

    #[test]
    fn names_are_found() {
        for service in Service::ALL {
            assert_eq!(Service::named(service.name()), Ok(service));
        }
        let error = Service::named("oracle").unwrap_err();
        assert!(error.starts_with("there is no service `oracle`; there are postgres, mariadb,"));
    }

    #[test]
    fn no_port_is_used_twice() {
        let all: Vec<u16> = Service::ALL
            .iter()
            .flat_map(|s| s.ports())
            .copied()
            .collect();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len());
    }
}
