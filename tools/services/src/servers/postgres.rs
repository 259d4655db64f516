//! PostgreSQL: Debian's programs, a data folder of our own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::command;
use crate::place::Place;
use crate::service::Service;

pub(crate) const SERVICE: Service = Service {
    name: "postgres",
    variable: "POSTGRES_URL",
    ports: &[15432],
    url: ("postgres://shop:not-a-secret@", "/shop"),
    packages: &["postgresql"],
    units: &["postgresql"],
    is_installed: || programs().is_some(),
    processes: &["postgres"],
    user: Some("postgres"),
    // Does not wait for clients, other than `TERM`.
    signal: "INT",
    prepare,
    commands: |place| {
        let mut postgres = program("postgres")?;
        postgres.arg("-D").arg(place.data());
        postgres.arg("-p").arg(place.port(0).to_string());
        postgres.args(["-h", "127.0.0.1", "-k", ""]);
        // Lost with the machine's power, which tests do not mind.
        postgres.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        postgres.args(["-c", "max_connections=300"]);
        Ok(vec![postgres])
    },
    ready: |place| {
        let mut psql = program("psql")?;
        psql.args(["--no-psqlrc", "--no-password", "--quiet"]);
        psql.args(["--command", "SELECT 1", "--output", "/dev/null"]);
        psql.arg(SERVICE.urls(&place.ports));
        command::succeeds("a login to PostgreSQL", psql, command::LOGIN)
    },
    ..Service::COMMON
};

fn prepare(place: &Place) -> Result<(), String> {
    place.make_data(|new| {
        let mut initdb = program("initdb")?;
        initdb.args(["--username=postgres", "--encoding=UTF8", "--no-sync"]);
        // There is no socket but the port.
        initdb.args(["--auth-local=peer", "--auth-host=scram-sha-256"]);
        initdb.arg("--locale=C.UTF-8").arg("--pgdata").arg(new);
        place.run("initdb", initdb)?;
        let mut single = program("postgres")?;
        single.args(["--single", "-D"]).arg(new).arg("postgres");
        // One statement a line. The superuser gets no password, so that nobody logs in as such.
        let users = place.input("users.sql", include_str!("postgres.sql"))?;
        place.run_with("the users of PostgreSQL", single, users)
    })
}

/// The folder of the newest version that has all programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
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
