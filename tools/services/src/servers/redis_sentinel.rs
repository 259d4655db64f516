//! A Redis sentinel with the master it watches, whose name is `main`.

use super::redis;
use crate::debian::program;
use crate::resp;
use crate::service::Service;

const SENTINEL: usize = 0;
const MASTER: usize = 1;

pub(crate) const SERVICE: Service = Service {
    name: "redis-sentinel",
    variable: "REDIS_SENTINEL_URLS",
    ports: &[17390, 17391],
    processes: &["sentinel", "master"],
    commands: |place| {
        // The sentinel keeps what it learns in this file.
        let settings = format!(
            "bind 127.0.0.1\nport {}\ndir {}\nsentinel monitor main 127.0.0.1 {} 1\n",
            place.port(SENTINEL),
            place.folder.display(),
            place.port(MASTER),
        );
        let file = place.write("sentinel.conf", &settings)?;
        let mut sentinel = program("redis-server")?;
        sentinel.arg(file).arg("--sentinel");
        let master = redis::server(place.port(MASTER), &place.folder)?;
        Ok(vec![sentinel, master])
    },
    ready: |place| {
        redis::answers(&place.address(MASTER))?;
        let sentinel = place.address(SENTINEL);
        let master = resp::ask(&sentinel, "SENTINEL master main")?;
        is_up(&master).map_err(|missing| format!("{sentinel}: {missing}"))
    },
    ..redis::COMMON
};

/// Whether a sentinel's description of its master, names and values in turn,
/// says that it is up.
fn is_up(master: &str) -> Result<(), String> {
    let mut lines = master.lines();
    let flags = lines.find(|line| *line == "flags").and(lines.next());
    match flags {
        Some("master") => Ok(()),
        flags => Err(format!("the master's flags are {flags:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_that_is_down_is_an_error() {
        assert_eq!(
            is_up("name\nmain\nflags\nmaster\nlast-ping-sent\n0\n"),
            Ok(())
        );
        let down = is_up("name\nmain\nflags\ns_down,master\n");
        let error = "the master's flags are Some(\"s_down,master\")".to_owned();
        assert_eq!(down, Err(error));
        assert!(is_up("").is_err());
    }
}
