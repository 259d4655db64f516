//! What code set.

use crate::config::given::Given;
use crate::config::kind;
use crate::config::problem::Problems;
use crate::config::reader::Reader;
use crate::config::{Layer, StackTraces, TechnologyStackTraces};

/// The settings that the builder collects, and what was wrong with them. Its
/// methods are made from the table in `keys.rs`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub(crate) layer: Layer,
    pub(crate) problems: Problems,
}

impl Code {
    /// `host` or `host:port`.
    pub(crate) fn agent(&mut self, address: &str) {
        let mut reader = Reader {
            key: "agent_host",
            plugin: "",
            problems: &mut self.problems,
        };
        if let Some((host, port)) = kind::address(address, &mut reader) {
            self.agent_host(Given::Value(host));
            if let Some(port) = port {
                self.agent_port(Given::Value(port));
            }
        }
    }

    /// Replaces what was said about this technology.
    pub(crate) fn technology_stack_trace(&mut self, name: &str, mode: StackTraces, frames: u16) {
        let entry = self.layer.technology_stack_traces.clone();
        let mut all = entry.map(|entry| entry.value).unwrap_or_default();
        let traces = TechnologyStackTraces {
            mode: Some(mode),
            length: Some(frames),
        };
        all.insert(name.to_lowercase(), traces);
        self.technology_stack_traces(Given::Value(all));
    }
}
