//! Redis: one server, which keeps nothing.

use std::path::Path;
use std::process::Command;

use crate::debian::{self, program};
use crate::resp;
use crate::service::Service;

pub(crate) const SERVICE: Service = Service {
    name: "redis",
    variable: "REDIS_URL",
    ports: &[17379],
    processes: &["redis"],
    commands: |place| {
        let mut redis = server(place.port(0), &place.folder)?;
        // Beside the default user without a password, one with it.
        redis.args(["--user", "shop", "on", ">not-a-secret", "~*", "&*", "+@all"]);
        Ok(vec![redis])
    },
    ready: |place| answers(&place.address(0)),
    ..COMMON
};

/// What all kinds of Redis have in common.
pub(super) const COMMON: Service = Service {
    url: ("redis://", ""),
    packages: &["redis-server"],
    units: &["redis-server"],
    is_installed: || debian::has(&["redis-server"]),
    ..Service::COMMON
};

/// A server that keeps nothing.
pub(super) fn server(port: u16, folder: &Path) -> Result<Command, String> {
    let mut redis = program("redis-server")?;
    redis.args(["--bind", "127.0.0.1", "--port"]);
    redis.arg(port.to_string());
    redis.args(["--save", "", "--appendonly", "no", "--dir"]);
    redis.arg(folder);
    Ok(redis)
}

/// Whether a server answers.
pub(super) fn answers(address: &str) -> Result<(), String> {
    match resp::ask(address, "PING")?.as_str() {
        "PONG" => Ok(()),
        other => Err(format!("{address}: PING: {other}")),
    }
}
