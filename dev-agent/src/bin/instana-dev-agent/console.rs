//! Prints notices of the agent, as text or as JSON.

use std::io::{self, Write};
use std::net::SocketAddr;

use instana_dev_agent::render::{self, Style, count};
use instana_dev_agent::{DevAgent, Notice};
use serde_json::json;

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// One JSON object a line.
    Json,
    /// Violations only.
    Quiet,
    /// Everything, for people.
    Text,
}

/// Prints to the standard output.
#[derive(Debug)]
pub(crate) struct Console {
    output: Output,
    style: Style,
}

impl Console {
    pub(crate) fn new(output: Output, style: Style) -> Self {
        Self { output, style }
    }

    pub(crate) fn started(&self, addr: SocketAddr) {
        let text = match self.output {
            Output::Quiet => return,
            Output::Json => json!({"notice": "started", "address": addr.to_string()}).to_string(),
            Output::Text => format!(
                "instana-dev-agent listens on {addr}\n\
                 point a tracer at it:  INSTANA_AGENT_HOST={} INSTANA_AGENT_PORT={}\n\
                 query API:  curl http://{addr}/dev    end:  Ctrl-C\n",
                addr.ip(),
                addr.port()
            ),
        };
        let _ = self.print(&text);
    }

    /// # Errors
    /// Nobody reads the output any more.
    pub(crate) fn notice(&self, notice: &Notice) -> io::Result<()> {
        match (self.output, notice) {
            (Output::Json, _) => self.print(&notice.to_json().to_string()),
            (Output::Quiet, Notice::Violation(_)) | (Output::Text, _) => {
                self.print(&render::notice(notice, self.style))
            }
            (Output::Quiet, _) => Ok(()),
        }
    }

    pub(crate) fn summary(&self, agent: &DevAgent) {
        let text = match self.output {
            Output::Quiet => return,
            Output::Json => agent.view(|view| {
                json!({
                    "notice": "ended", "processes": view.processes().len(),
                    "traces": view.trace_count(), "spans": view.span_count(),
                    "violations": view.violation_count(), "notes": view.notes().len(),
                    "dropped": view.dropped().to_json(),
                })
                .to_string()
            }),
            Output::Text => self.end(agent),
        };
        let _ = self.print(&text);
    }

    /// A line for each service and process, the dropped data, and the counts.
    fn end(&self, agent: &DevAgent) -> String {
        let map = agent.service_map();
        let services = map.services.iter();
        let mut lines: Vec<_> = services
            .map(|service| render::service(service, self.style))
            .collect();
        let processes = agent.processes();
        let each = processes.iter();
        lines.extend(each.map(|process| render::process(process, self.style)));
        let dropped = agent.dropped();
        if !dropped.is_none() {
            lines.push(format!("no longer here, for want of memory: {dropped}"));
        }
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        lines.push(agent.view(|view| {
            format!(
                "{}, {}, {}, {} of the protocol",
                count(processes.len(), "process", "processes"),
                count(view.trace_count(), "trace", "traces"),
                count(view.span_count(), "span", "spans"),
                count(number(view.violation_count()), "violation", "violations"),
            )
        }));
        format!("\n{}", lines.join("\n"))
    }

    fn print(&self, text: &str) -> io::Result<()> {
        let text = match self.output {
            Output::Json => render::printable_json(text),
            Output::Quiet | Output::Text => render::printable(text),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }
}
