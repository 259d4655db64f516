//! AWS: moto, which answers as its services do and keeps nothing.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::service::Service;
use crate::{tools, urls};

/// As in the file of requirements.
const NAME: &str = "moto-5.2.5";
const REQUIREMENTS: &str = include_str!("moto.txt");

pub(crate) const SERVICE: Service = Service {
    name: "aws",
    variable: "AWS_ENDPOINT_URL",
    ports: &[15566],
    url: ("http://", ""),
    packages: &["python3-venv"],
    is_installed: || python().is_some(),
    processes: &["moto"],
    prepare: |_| program().map(drop),
    commands: |place| {
        let mut moto = Command::new(program()?);
        moto.args(["--host", "127.0.0.1", "--port"]);
        moto.arg(place.port(0).to_string());
        Ok(vec![moto])
    },
    ready: |place| {
        let address = place.address(0);
        status(&address).map_err(|error| format!("{address}: {error}"))
    },
    ..Service::COMMON
};

fn program() -> Result<PathBuf, String> {
    let tool = tools::ensure(NAME, "about 15 s", install)?;
    Ok(tool.join("bin/moto_server"))
}

fn install(tool: &Path) -> Result<(), String> {
    let mut venv = Command::new(python().ok_or("a Python with `venv` is missing")?);
    venv.args(["-m", "venv"]).arg(tool);
    tools::run("python3 -m venv", venv)?;
    let requirements = tool.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)
        .map_err(|error| format!("{}: {error}", requirements.display()))?;
    let mut pip = Command::new(tool.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]);
    pip.arg("--requirement").arg(requirements);
    tools::run("pip install", pip)
}

/// A Python that can make virtual environments: the first in `PATH`, or
/// Debian's.
fn python() -> Option<&'static str> {
    let has_venv = |python: &&str| {
        let mut ask = Command::new(python);
        ask.args(["-c", "import ensurepip, venv"]);
        ask.stdin(Stdio::null()).stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    };
    let mut pythons = ["python3", "/usr/bin/python3"].into_iter();
    pythons.find(has_venv)
}

/// Whether a request is answered by 200.
fn status(address: &str) -> Result<(), String> {
    let mut stream = urls::open(address)?;
    let mut line = String::new();
    stream
        .write_all(b"GET /moto-api/data.json HTTP/1.0\r\n\r\n")
        .and_then(|()| BufReader::new(stream).read_line(&mut line))
        .map_err(|error| error.to_string())?;
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(format!("odd answer {line:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_requirements() {
        let version = NAME.strip_prefix("moto-").unwrap();
        let line = REQUIREMENTS
            .lines()
            .find(|line| line.starts_with("moto["))
            .unwrap();
        assert!(line.ends_with(&format!("=={version}")), "{line}");
        let all = REQUIREMENTS.lines().filter(|line| !line.starts_with('#'));
        assert!(all.clone().all(|line| line.contains("==")));
        assert!(all.count() > 10);
    }
}
