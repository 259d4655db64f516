//! What the agent has seen.

use std::io::{self, Write};
use std::time::Duration;

use instana_dev_agent::DevAgent;
use instana_dev_agent::render::{Style, tree};

use crate::Outcome;

/// Two spans where an order is placed, three where it is handled.
const SPANS: usize = 3 * 5;

/// Prints each trace as a tree.
pub(crate) fn print(agent: &DevAgent) -> Outcome<()> {
    agent.wait_for_spans(SPANS, Duration::from_secs(10))?;
    let mut out = io::stdout().lock();
    for trace in agent.traces() {
        writeln!(out, "{}", tree(&trace, Style::plain()))?;
    }
    let violations = agent.violations();
    writeln!(out, "{} protocol violations", violations.len())?;
    Ok(out.flush()?)
}
