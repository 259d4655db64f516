//! The services' processes.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Outcome;
use crate::services::{self, Service};

/// How long a service may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Children(Vec<Running>);

pub(crate) struct Running {
    pub(crate) service: Service,
    /// None of one that nobody calls.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) pid: u32,
    child: Child,
}

impl Children {
    /// Starts the services, each as a process of this program; the worker where there
    /// is a topic.
    pub(crate) async fn start((host, port): (&str, u16), topic: Option<&str>) -> Outcome<Self> {
        let mut children = Self(Vec::new());
        for service in Service::ALL {
            if service == Service::Worker && topic.is_none() {
                continue;
            }
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--service", service.name()]);
            let addresses = children.0.iter().filter_map(|running| running.address);
            command.args(addresses.map(|address| address.to_string()));
            command.args(topic.map(|topic| format!("--topic={topic}")));
            command
                .env("INSTANA_AGENT_HOST", host)
                .env("INSTANA_AGENT_PORT", port.to_string())
                // Each has a name of its own.
                .env_remove("INSTANA_SERVICE_NAME");
            // Ctrl-C in a terminal is for us alone.
            #[cfg(unix)]
            command.process_group(0);
            // The service ends when its standard input is closed.
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true);
            children.0.push(Running::start(service, command).await?);
        }
        Ok(children)
    }

    pub(crate) fn all(&self) -> &[Running] {
        &self.0
    }

    /// Where customers go: the service that was started last.
    pub(crate) fn storefront(&self) -> SocketAddr {
        let last = self.0.last().and_then(|running| running.address);
        last.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub(crate) fn describe(&self) -> String {
        let lines = self.0.iter().map(|running| {
            let does = running.address.map_or_else(
                || "takes orders from the queue".to_owned(),
                |address| format!("http://{address}"),
            );
            let name = running.service.name();
            format!("{name:<11} {does}  (pid {})", running.pid)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Closes the services' standard inputs and waits for their ends.
    pub(crate) async fn stop(mut self) -> Outcome<()> {
        for running in &mut self.0 {
            drop(running.child.stdin.take());
        }
        for running in &mut self.0 {
            let name = running.service.name();
            let status = tokio::time::timeout(PATIENCE, running.child.wait())
                .await
                .map_err(|_| format!("{name} did not stop within {PATIENCE:?}"))??;
            if !status.success() {
                return Err(format!("{name} ended with {status}").into());
            }
        }
        Ok(())
    }
}

impl Running {
    async fn start(service: Service, mut command: Command) -> Outcome<Self> {
        let mut child = command.spawn()?;
        let name = service.name();
        let stdout = child.stdout.take().ok_or("a child without output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .map_err(|_| format!("{name} did not start within {PATIENCE:?}"))??;
        // It has said why.
        let line = line.ok_or_else(|| format!("the {name} did not start"))?;
        let address = match line.as_str() {
            services::READY => None,
            address => Some(address.parse()?),
        };
        let pid = child.id().ok_or_else(|| format!("{name} ended at once"))?;
        Ok(Self {
            service,
            address,
            pid,
            child,
        })
    }
}
