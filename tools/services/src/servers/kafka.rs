//! Kafka: the broker tansu, which speaks Kafka's protocol and keeps nothing.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::service::Service;
use crate::{folders, tools, urls};

/// The value of `KAFKA_BROKERS` with which tests use librdkafka's own mock
/// cluster.
pub(crate) const MOCK: &str = "mock";

const VERSION: &str = "0.6.0";

/// `ApiVersions`, version 0, from a client without a name; its answer's error
/// stands behind this number.
const REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 47, 11, 0xff, 0xff];
const NUMBER: [u8; 4] = [0, 0, 47, 11];

pub(crate) const SERVICE: Service = Service {
    name: "kafka",
    variable: "KAFKA_BROKERS",
    ports: &[19092],
    processes: &["tansu"],
    prepare: |_| program().map(drop),
    commands: |place| {
        let mut tansu = Command::new(program()?);
        let url = format!("tcp://{}", place.address(0));
        tansu.args(["broker", "--listener-url", &url]);
        tansu.args(["--advertised-listener-url", &url]);
        tansu.args(["--storage-engine", "memory://tansu/"]);
        tansu.env("RUST_LOG", "warn");
        for variable in ["OTEL_EXPORTER_OTLP_ENDPOINT", "SCHEMA_REGISTRY"] {
            tansu.env_remove(variable);
        }
        Ok(vec![tansu])
    },
    ready: |place| {
        let address = place.address(0);
        api_versions(&address).map_err(|error| format!("{address}: {error}"))
    },
    ..Service::COMMON
};

fn program() -> Result<PathBuf, String> {
    let name = format!("tansu-{VERSION}");
    let tool = tools::ensure(&name, "about 5 to 15 minutes", install)?;
    Ok(tool.join("bin/tansu"))
}

fn install(tool: &Path) -> Result<(), String> {
    let build = folders::target()?.join("tools-build");
    let mut cargo = Command::new(folders::cargo());
    cargo.args(["install", "tansu", "--version", VERSION, "--locked"]);
    // Quicker to build than to be a quick broker.
    cargo.args(["--debug", "--no-default-features"]);
    for setting in ["DEBUG", "DEBUG_ASSERTIONS", "OVERFLOW_CHECKS"] {
        cargo.env(format!("CARGO_PROFILE_DEV_{setting}"), "false");
    }
    cargo.args(["--features", "dynostore"]);
    cargo.arg("--root").arg(tool);
    cargo.arg("--target-dir").arg(&build);
    // Those of our own build, such as a sanitizer's.
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(variable);
    }
    tools::run("cargo install tansu", cargo)?;
    // More than a gigabyte; where it is left, nothing is lost but room.
    let _ = std::fs::remove_dir_all(&build);
    Ok(())
}

/// Asks a broker for the versions it knows.
fn api_versions(address: &str) -> Result<(), String> {
    let mut stream = urls::open(address)?;
    let mut answer = [0; 10];
    stream
        .write_all(&REQUEST)
        .and_then(|()| stream.read_exact(&mut answer))
        .map_err(|error| error.to_string())?;
    is_answer(answer)
}

fn is_answer(answer: [u8; 10]) -> Result<(), String> {
    // Four bytes of length are before the number.
    match answer.split_at(4).1 {
        [number @ .., 0, 0] if *number == NUMBER => Ok(()),
        _ => Err(format!("odd answer {answer:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_its_length_and_number() {
        let length = u32::from_be_bytes(REQUEST[..4].try_into().unwrap());
        assert_eq!(length as usize, REQUEST.len() - 4);
        assert_eq!(REQUEST[8..12], NUMBER);
    }

    #[test]
    fn errors_and_other_servers_are_errors() {
        assert_eq!(is_answer([0, 0, 1, 0, 0, 0, 47, 11, 0, 0]), Ok(()));
        assert!(is_answer([0, 0, 1, 0, 0, 0, 47, 11, 0, 35]).is_err());
        assert!(is_answer(*b"HTTP/1.1 4").is_err());
    }
}
