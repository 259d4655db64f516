//! Redis: one server, which keeps nothing.

use std::path::Path;
use std::process::Command;

use super::place::Place;
use super::resp;
use super::server::Server;
use crate::debian::{self, Packages};

const PROGRAM: &str = "redis-server";

/// Beside the default user without a password, one with it.
const NAME: [&str; 2] = ["--user", "shop"];
const RIGHTS: [&str; 5] = ["on", ">not-a-secret", "~*", "&*", "+@all"];

pub(crate) struct Redis;

impl Server for Redis {
    fn packages(&self) -> Packages {
        packages()
    }

    fn is_installed(&self) -> bool {
        is_installed()
    }

    fn processes(&self) -> &'static [&'static str] {
        &["redis"]
    }

    fn prepare(&self, _place: &Place) -> Result<(), String> {
        Ok(())
    }

    fn commands(&self, place: &Place) -> Result<Vec<Command>, String> {
        let mut redis = server(place.port(0), &place.folder)?;
        redis.args(NAME).args(RIGHTS);
        Ok(vec![redis])
    }

    fn ready(&self, place: &Place) -> Result<(), String> {
        answers(&place.address(0))
    }
}

pub(crate) fn packages() -> Packages {
    Packages {
        names: &["redis-server"],
        units: &["redis-server"],
    }
}

pub(crate) fn is_installed() -> bool {
    debian::find_program(PROGRAM).is_some()
}

pub(crate) fn program() -> Result<Command, String> {
    let program = debian::find_program(PROGRAM).ok_or("redis-server is missing")?;
    Ok(Command::new(program))
}

/// A server that keeps nothing.
pub(crate) fn server(port: u16, folder: &Path) -> Result<Command, String> {
    let mut redis = program()?;
    redis.args(["--bind", "127.0.0.1", "--port"]);
    redis.arg(port.to_string());
    redis.args(["--save", "", "--appendonly", "no", "--dir"]);
    redis.arg(folder);
    Ok(redis)
}

/// Whether a server answers.
pub(crate) fn answers(address: &str) -> Result<(), String> {
    match resp::ask(address, "PING")?.as_str() {
        "PONG" => Ok(()),
        other => Err(format!("{address}: PING: {other}")),
    }
}
