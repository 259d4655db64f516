//! The benchmarks' programs: built once, run many times.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::callgrind::{self, Instructions};
use crate::cargo;

/// The programs, built.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// Where things are built and figures are kept.
    pub(crate) target: PathBuf,
}

impl Programs {
    /// Builds them, with these features of the package `benchmarks`.
    pub(crate) fn build(features: &[&str]) -> Result<Self, String> {
        let target = cargo::target()?.join("bench");
        let words = "build --release --locked --manifest-path benchmarks/Cargo.toml --features";
        let mut build = cargo::command();
        build.args(words.split(' ')).arg(features.join(","));
        match build.arg("--target-dir").arg(&target).status() {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("the benchmarks do not build: {status}")),
            Err(error) => return Err(format!("Cargo could not be started: {error}")),
        }
        Ok(Self {
            folder: target.join("release"),
            target,
        })
    }

    /// The program on the system's allocator.
    pub(crate) fn plain(&self) -> PathBuf {
        self.folder.join("benchmarks")
    }

    /// Runs the program and reads what it prints, which is JSON.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Value, String> {
        run(&self.plain(), arguments)
    }

    /// As [`run`](Self::run), on the allocator that counts.
    pub(crate) fn run_counting(&self, arguments: &[&str]) -> Result<Value, String> {
        run(&self.folder.join("allocations"), arguments)
    }

    /// Runs a line of the shell that ends as one of the programs.
    pub(crate) fn run_shell(&self, script: &str) -> Result<Value, String> {
        run(Path::new("/bin/sh"), &["-c", script])
    }

    /// Runs the program under callgrind.
    pub(crate) fn count(&self, arguments: &[&str]) -> Result<(Instructions, Value), String> {
        let folder = self.target.join("callgrind");
        let (instructions, answer) = callgrind::run(&self.plain(), arguments, &folder)?;
        Ok((instructions, parse(&answer)?))
    }

    /// Starts the agent that throws everything away.
    pub(crate) fn agent(&self, metrics_every_second: bool) -> Result<Server, String> {
        let mut command = Command::new(self.plain());
        command.arg("agent");
        if metrics_every_second {
            command.arg("--metrics");
        }
        Server::start(command)
    }

    /// Starts an axum service that is traced by a library.
    pub(crate) fn service(&self, library: &str, agent: &str) -> Result<Server, String> {
        let mut command = Command::new(self.plain());
        command.args(["serve", library, "--agent", agent]);
        Server::start(command)
    }
}

fn run(program: &Path, arguments: &[&str]) -> Result<Value, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// Reads the last line; nothing is `null`.
fn parse(text: &str) -> Result<Value, String> {
    match text.lines().last() {
        None => Ok(Value::Null),
        Some(line) => serde_json::from_str(line).map_err(|error| format!("{line}: {error}")),
    }
}

/// A program that serves on a port, until its standard input ends.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) address: String,
}

impl Server {
    fn start(mut command: Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("a server could not be started: {error}"))?;
        let output = child.stdout.take().ok_or("a server without output")?;
        let mut server = Self {
            child,
            output: BufReader::new(output),
            address: String::new(),
        };
        let mut line = String::new();
        let read = server.output.read_line(&mut line);
        server.address = line.trim().to_owned();
        match read {
            Ok(_) if !server.address.is_empty() => Ok(server),
            _ => Err("a server did not say where it listens".to_owned()),
        }
    }

    /// Ends it, and reads what it prints at its end.
    pub(crate) fn stop(mut self) -> Result<u64, String> {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.output
            .read_to_string(&mut rest)
            .map_err(|error| error.to_string())?;
        let _ = self.child.wait();
        rest.trim()
            .parse()
            .map_err(|_| format!("{rest:?} is no figure"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
