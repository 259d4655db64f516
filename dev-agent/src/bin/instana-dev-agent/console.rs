use std::io::{self, Write};
use std::net::SocketAddr;

use instana_dev_agent::render::{self, Style};
use instana_dev_agent::{DevAgent, Notice, ServiceMap};
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
    pub(crate) fn new(output: Output, colors: bool, columns: Option<usize>) -> Self {
        let style = if colors {
            Style::colored()
        } else {
            Style::plain()
        };
        Self {
            output,
            style: style.width(columns.unwrap_or(100)),
        }
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
        let _ = line(&text);
    }

    /// # Errors
    /// Nobody reads the output any more.
    pub(crate) fn notice(&self, notice: &Notice) -> io::Result<()> {
        match (self.output, notice) {
            (Output::Json, _) => line(&notice.to_json().to_string()),
            (Output::Quiet, Notice::Violation(_)) | (Output::Text, _) => {
                line(&render::notice(notice, self.style))
            }
            (Output::Quiet, _) => Ok(()),
        }
    }

    pub(crate) fn summary(&self, agent: &DevAgent) {
        let (processes, spans, traces) = agent.view(|view| {
            (
                view.processes().len(),
                view.span_count(),
                view.trace_ids().len(),
            )
        });
        let violations = agent.violations().len();
        let text = match self.output {
            Output::Quiet => return,
            Output::Json => json!({
                "notice": "ended", "processes": processes, "traces": traces,
                "spans": spans, "violations": violations, "notes": agent.notes().len(),
            })
            .to_string(),
            Output::Text => format!(
                "{}\n{processes} processes, {traces} traces, {spans} spans, {violations} violations of the protocol",
                health(&agent.view(|view| view.service_map()))
            ),
        };
        let _ = line(&text);
    }
}

/// A line for each service.
fn health(map: &ServiceMap) -> String {
    let lines = map.services.iter().map(|service| {
        format!(
            "\n{}: {} calls, {:.1} % with errors, {:.0} ms on average, 95 % within {} ms, instances: {}",
            service.name,
            service.calls,
            service.error_rate() * 100.0,
            service.mean_ms,
            service.p95_ms,
            service.instances
        )
    });
    lines.collect()
}

fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
