//! A Redis sentinel with the master it watches, whose name is `main`.

use std::process::Command;

use super::place::Place;
use super::server::Server;
use super::{redis, resp};
use crate::debian::Packages;

const SENTINEL: usize = 0;
const MASTER: usize = 1;

pub(crate) struct RedisSentinel;

impl Server for RedisSentinel {
    fn packages(&self) -> Packages {
        redis::packages()
    }

    fn is_installed(&self) -> bool {
        redis::is_installed()
    }

    fn processes(&self) -> &'static [&'static str] {
        &["sentinel", "master"]
    }

    fn prepare(&self, _place: &Place) -> Result<(), String> {
        Ok(())
    }

    fn commands(&self, place: &Place) -> Result<Vec<Command>, String> {
        // The sentinel keeps what it learns in this file.
        let settings = format!(
            "bind 127.0.0.1\nport {}\ndir {}\nsentinel monitor main 127.0.0.1 {} 1\n",
            place.port(SENTINEL),
            place.folder.display(),
            place.port(MASTER),
        );
        let file = place.write("sentinel.conf", &settings)?;
        let mut sentinel = redis::program()?;
        sentinel.arg(file).arg("--sentinel");
        let master = redis::server(place.port(MASTER), &place.folder)?;
        Ok(vec![sentinel, master])
    }

    fn ready(&self, place: &Place) -> Result<(), String> {
        redis::answers(&place.address(MASTER))?;
        let sentinel = place.address(SENTINEL);
        let master = resp::ask(&sentinel, "SENTINEL master main")?;
        is_up(&master).map_err(|missing| format!("{sentinel}: {missing}"))
    }
}

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
    fn a_master_that_is_down_is_told() {
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
