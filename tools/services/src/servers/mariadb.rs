//! MariaDB: Debian's programs, a data folder of our own.

use crate::command;
use crate::debian::{self, program};
use crate::place::Place;
use crate::service::Service;

pub(crate) const SERVICE: Service = Service {
    name: "mariadb",
    variable: "MARIADB_URL",
    ports: &[13306],
    url: ("mysql://shop:not-a-secret@", "/shop"),
    packages: &["mariadb-server"],
    units: &["mariadb"],
    is_installed: || debian::has(&["mariadbd", "mariadb-install-db", "mariadb"]),
    processes: &["mariadb"],
    user: Some("mysql"),
    prepare: |place| {
        place.make_data(|new| {
            let mut install = program("mariadb-install-db")?;
            install.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]);
            install.arg(format!("--datadir={}", new.display()));
            place.run("mariadb-install-db", install)
        })
    },
    commands: |place| {
        // Carried out at each start, before the port is opened; one statement a line.
        let users = place.write("users.sql", include_str!("mariadb.sql"))?;
        let mut mariadbd = program("mariadbd")?;
        // Nothing of the machine's own settings, and no socket but the port.
        mariadbd.args(["--no-defaults", "--socket=", "--skip-name-resolve"]);
        mariadbd.arg(format!("--datadir={}", place.data().display()));
        mariadbd.arg(format!("--init-file={}", users.display()));
        mariadbd.args(["--bind-address=127.0.0.1", "--max-connections=300"]);
        mariadbd.arg(format!("--port={}", place.port(0)));
        // Lost with the machine's power, which tests do not mind.
        mariadbd.arg("--innodb-flush-log-at-trx-commit=0");
        Ok(vec![mariadbd])
    },
    ready,
    ..Service::COMMON
};

fn ready(place: &Place) -> Result<(), String> {
    let mut mariadb = program("mariadb")?;
    mariadb.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"]);
    mariadb.arg(format!("--port={}", place.port(0)));
    mariadb.args(["--user=shop", "--password=not-a-secret"]);
    mariadb.args(["--execute=SELECT 1", "shop"]);
    command::succeeds("a login to MariaDB", mariadb, command::LOGIN)
}
