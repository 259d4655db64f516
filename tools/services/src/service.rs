//! What there is to bring up. A server is one constant: its table entry and the functions that
//! only it needs.

use std::fmt;
use std::process::Command;

use crate::place::Place;
use crate::servers;

/// All servers, in the order of `status`.
pub(crate) static ALL: [&Service; 7] = [
    &servers::postgres::SERVICE,
    &servers::mariadb::SERVICE,
    &servers::redis::SERVICE,
    &servers::redis_cluster::SERVICE,
    &servers::redis_sentinel::SERVICE,
    &servers::kafka::SERVICE,
    &servers::aws::SERVICE,
];

/// A server, or a group of servers, that tests and examples talk to.
pub(crate) struct Service {
    /// What the command line, the folders and `docker-compose.yml` call it.
    pub(crate) name: &'static str,
    /// The variable that has its URL, or several with commas between them.
    pub(crate) variable: &'static str,
    /// The ports it listens on, none of them anybody's default. In `docker-compose.yml` they
    /// are the same; natively they are others where one is taken.
    pub(crate) ports: &'static [u16],
    /// How many of the ports have a URL: the first ones.
    pub(crate) clients: usize,
    /// What stands in a URL before the host, and behind the port.
    pub(crate) url: (&'static str, &'static str),
    /// Debian's packages, and the names of their servers for the init system.
    pub(crate) packages: &'static [&'static str],
    pub(crate) units: &'static [&'static str],
    /// Whether all programs are there.
    pub(crate) is_installed: fn() -> bool,
    /// Its processes: names of the files with their numbers and logs.
    pub(crate) processes: &'static [&'static str],
    /// The packages' user for it, where it refuses to be root.
    pub(crate) user: Option<&'static str>,
    /// What makes it end soon.
    pub(crate) signal: &'static str,
    /// Makes what it needs, where that is not there yet.
    pub(crate) prepare: fn(&Place) -> Result<(), String>,
    /// One command a process, in the same order.
    pub(crate) commands: fn(&Place) -> Result<Vec<Command>, String>,
    /// What is left to do once its processes run.
    pub(crate) join: fn(&Place) -> Result<(), String>,
    /// Whether it answers as tests expect it; the error is what it said.
    pub(crate) ready: fn(&Place) -> Result<(), String>,
}

impl Service {
    /// What most servers have in common: the last part of a table entry.
    pub(crate) const COMMON: Self = Self {
        name: "",
        variable: "",
        ports: &[],
        clients: 1,
        url: ("", ""),
        packages: &[],
        units: &[],
        is_installed: || true,
        processes: &[],
        user: None,
        signal: "TERM",
        prepare: |_| Ok(()),
        commands: |_| Ok(Vec::new()),
        join: |_| Ok(()),
        ready: |_| Ok(()),
    };

    pub(crate) fn named(name: &str) -> Result<&'static Self, String> {
        let known = ALL.into_iter().find(|service| service.name == name);
        known.ok_or_else(|| {
            let names = ALL.map(|service| service.name).join(", ");
            format!("there is no service `{name}`; there are {names}")
        })
    }

    /// The value of its variable where it listens on these ports.
    pub(crate) fn urls(&self, ports: &[u16]) -> String {
        let (before, behind) = self.url;
        let urls = ports.iter().take(self.clients);
        let urls = urls.map(|port| format!("{before}127.0.0.1:{port}{behind}"));
        urls.collect::<Vec<String>>().join(",")
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_that_tests_read() {
        let expected = [
            "postgres://shop:not-a-secret@127.0.0.1:15432/shop",
            "mysql://shop:not-a-secret@127.0.0.1:13306/shop",
            "redis://127.0.0.1:17379",
            "redis://127.0.0.1:17381,redis://127.0.0.1:17382,redis://127.0.0.1:17383",
            "redis://127.0.0.1:17390",
            "127.0.0.1:19092",
            "http://127.0.0.1:15566",
        ];
        assert_eq!(ALL.map(|service| service.urls(service.ports)), expected);
    }

    #[test]
    fn names_are_found() {
        for service in ALL {
            assert_eq!(Service::named(service.name), Ok(service));
        }
        let error = Service::named("oracle").unwrap_err();
        assert!(error.starts_with("there is no service `oracle`; there are postgres, mariadb,"));
    }

    #[test]
    fn a_table_entry_is_whole() {
        for service in ALL {
            assert!(!service.variable.is_empty(), "{service:?}");
            assert!(!service.processes.is_empty(), "{service:?}");
            assert!(service.clients <= service.ports.len(), "{service:?}");
        }
    }

    #[test]
    fn no_port_is_used_twice() {
        let all = ALL.iter().flat_map(|service| service.ports);
        let mut once: Vec<u16> = all.clone().copied().collect();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.count());
    }
}
