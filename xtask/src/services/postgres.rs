//! PostgreSQL: Debian's programs, a data folder of our own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::place::Place;
use super::server::Server;
use super::service::Service;
use crate::command;
use crate::debian::Packages;

/// Below it, a folder a version.
const VERSIONS: &str = "/usr/lib/postgresql";

const LOGIN: Duration = Duration::from_secs(10);

/// One statement a line. The superuser gets no password, so that nobody logs
/// in as such.
const USERS: &str = include_str!("postgres.sql");

/// Lost with the machine's power, which tests do not mind.
const FAST: [&str; 3] = ["fsync=off", "full_page_writes=off", "max_connections=300"];

pub(crate) struct Postgres;

impl Server for Postgres {
    fn packages(&self) -> Packages {
        Packages {
            names: &["postgresql"],
            units: &["postgresql"],
        }
    }

    fn is_installed(&self) -> bool {
        programs().is_some()
    }

    fn processes(&self) -> &'static [&'static str] {
        &["postgres"]
    }

    fn user(&self) -> Option<&'static str> {
        Some("postgres")
    }

    /// Does not wait for clients, other than `TERM`.
    fn signal(&self) -> &'static str {
        "INT"
    }

    fn prepare(&self, place: &Place) -> Result<(), String> {
        let data = place.folder.join("data");
        if data.exists() {
            return Ok(());
        }
        let new = place.new_folder("data.new")?;
        let mut initdb = program("initdb")?;
        initdb.args(["--username=postgres", "--encoding=UTF8", "--no-sync"]);
        // There is no socket but the port.
        initdb.args(["--auth-local=peer", "--auth-host=scram-sha-256"]);
        initdb.arg("--locale=C.UTF-8").arg("--pgdata").arg(&new);
        place.run("initdb", initdb)?;
        let mut single = program("postgres")?;
        single.args(["--single", "-D"]).arg(&new);
        single.arg("postgres");
        let users = place.input("users.sql", USERS)?;
        place.run_with("the users of PostgreSQL", single, users)?;
        fs::rename(&new, &data).map_err(|error| format!("{}: {error}", data.display()))
    }

    fn commands(&self, place: &Place) -> Result<Vec<Command>, String> {
        let mut postgres = program("postgres")?;
        postgres.arg("-D").arg(place.folder.join("data"));
        postgres.arg("-p").arg(place.port(0).to_string());
        postgres.args(["-h", "127.0.0.1", "-k", ""]);
        for setting in FAST {
            postgres.args(["-c", setting]);
        }
        Ok(vec![postgres])
    }

    fn ready(&self, place: &Place) -> Result<(), String> {
        let mut psql = program("psql")?;
        psql.args(["--no-psqlrc", "--no-password", "--quiet"]);
        psql.args(["--command", "SELECT 1", "--output", "/dev/null"]);
        psql.arg(Service::Postgres.urls(&place.ports));
        command::succeeds("a login to PostgreSQL", psql, LOGIN)
    }
}

/// The folder of the newest version that has all programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?;
    let folders = versions.flatten().filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let folder = version.path().join("bin");
        let programs = ["initdb", "postgres", "psql"];
        let is_whole = programs.iter().all(|name| folder.join(name).is_file());
        is_whole.then_some((number, folder))
    });
    folders.max().map(|(_, folder)| folder)
}

fn program(name: &str) -> Result<Command, String> {
    let folder = programs().ok_or("PostgreSQL's programs are missing")?;
    Ok(Command::new(folder.join(name)))
}
