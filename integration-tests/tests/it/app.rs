//! The traced application as a child process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use instana_dev_agent::DevAgent;

/// A running `traced-app`.
pub(crate) struct App {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    greeting: String,
}

impl App {
    /// Starts it with `arguments` and `environment`, without any other variable
    /// of the tracer.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::of(env!("CARGO_BIN_EXE_traced-app"), arguments, environment)
    }

    /// Starts another program that takes commands in the same way.
    #[expect(
        clippy::disallowed_methods,
        reason = "the variables that the test was started with are left out"
    )]
    pub(crate) fn of(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"INSTANA_") {
                command.env_remove(name);
            }
        }
        command.envs(
            environment
                .iter()
                .map(|(name, value)| (OsStr::new(name), OsStr::new(value))),
        );
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        stdout.read_line(&mut greeting).unwrap();
        Self {
            child,
            stdin,
            stdout,
            greeting: greeting.trim().to_owned(),
        }
    }

    /// Starts it for an agent.
    pub(crate) fn for_agent(
        agent: &DevAgent,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let program = env!("CARGO_BIN_EXE_traced-app");
        Self::of_agent(agent, program, arguments, environment)
    }

    /// Starts another program for an agent.
    pub(crate) fn of_agent(
        agent: &DevAgent,
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let (host, port) = (
            agent.addr().ip().to_string(),
            agent.addr().port().to_string(),
        );
        let mut all = vec![
            ("INSTANA_AGENT_HOST", host.as_str()),
            ("INSTANA_AGENT_PORT", port.as_str()),
        ];
        all.extend_from_slice(environment);
        Self::of(program, arguments, &all)
    }

    pub(crate) fn pid(&self) -> u64 {
        self.child.id().into()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.greeting.parse().expect("an address")
    }

    /// Sends a command; its answer.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        writeln!(self.stdin.as_mut().unwrap(), "{command}").unwrap();
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }

    /// Sends what was recorded so far.
    pub(crate) fn flush(&mut self) {
        assert_eq!(self.ask("flush 10000"), "true", "{}", self.ask("status"));
    }

    /// Recorded, sent, waiting and dropped spans.
    pub(crate) fn counts(&mut self) -> [u64; 4] {
        let counts: Vec<u64> = self
            .ask("counts")
            .split(' ')
            .map(|word| word.parse().unwrap())
            .collect();
        counts.try_into().unwrap()
    }

    /// Ends it: how, and after how long.
    pub(crate) fn stop(mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        drop(self.stdin.take());
        (self.child.wait().unwrap(), start.elapsed())
    }

    /// `kill -9`
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // A failed test leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
