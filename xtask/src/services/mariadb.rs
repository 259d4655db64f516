//! MariaDB: Debian's programs, a data folder of our own.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::place::Place;
use super::server::Server;
use crate::command;
use crate::debian::{self, Packages};

const PROGRAMS: [&str; 3] = ["mariadbd", "mariadb-install-db", "mariadb"];

const LOGIN: Duration = Duration::from_secs(10);

/// Carried out at each start, before the port is opened; one statement a line.
const USERS: &str = "\
CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'shop'@'127.0.0.1' IDENTIFIED BY 'not-a-secret';
GRANT ALL ON shop.* TO 'shop'@'127.0.0.1';
";

pub(crate) struct MariaDb;

impl Server for MariaDb {
    fn packages(&self) -> Packages {
        Packages {
            names: &["mariadb-server"],
            units: &["mariadb"],
        }
    }

    fn is_installed(&self) -> bool {
        let mut programs = PROGRAMS.iter();
        programs.all(|name| debian::find_program(name).is_some())
    }

    fn processes(&self) -> &'static [&'static str] {
        &["mariadb"]
    }

    fn user(&self) -> Option<&'static str> {
        Some("mysql")
    }

    fn prepare(&self, place: &Place) -> Result<(), String> {
        let data = place.folder.join("data");
        if data.exists() {
            return Ok(());
        }
        let new = place.new_folder("data.new")?;
        let mut install = program("mariadb-install-db")?;
        install.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]);
        install.arg(format!("--datadir={}", new.display()));
        place.run("mariadb-install-db", install)?;
        fs::rename(&new, &data).map_err(|error| format!("{}: {error}", data.display()))
    }

    fn commands(&self, place: &Place) -> Result<Vec<Command>, String> {
        let users = place.write("users.sql", USERS)?;
        let mut mariadbd = program("mariadbd")?;
        // Nothing of the machine's own settings, and no socket but the port.
        mariadbd.args(["--no-defaults", "--socket=", "--skip-name-resolve"]);
        mariadbd.arg(format!("--datadir={}", place.folder.join("data").display()));
        mariadbd.arg(format!("--init-file={}", users.display()));
        mariadbd.args(["--bind-address=127.0.0.1", "--max-connections=300"]);
        mariadbd.arg(format!("--port={}", place.port(0)));
        // Lost with the machine's power, which tests do not mind.
        mariadbd.arg("--innodb-flush-log-at-trx-commit=0");
        Ok(vec![mariadbd])
    }

    fn ready(&self, place: &Place) -> Result<(), String> {
        let mut mariadb = program("mariadb")?;
        mariadb.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"]);
        mariadb.arg(format!("--port={}", place.port(0)));
        mariadb.args(["--user=shop", "--password=not-a-secret"]);
        mariadb.args(["--execute=SELECT 1", "shop"]);
        command::succeeds("a login to MariaDB", mariadb, LOGIN)
    }
}

fn program(name: &str) -> Result<Command, String> {
    let program = debian::find_program(name);
    program
        .map(Command::new)
        .ok_or_else(|| format!("{name} is missing"))
}
