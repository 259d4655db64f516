//! What the agent says joins what was configured.

use std::sync::Arc;

use crate::base::log;
use crate::config::{Setting, Sources, Tree};
use crate::pipeline::port::{Applied, SettingsSink};
use crate::process::running;

/// Joins what the agent says with what was configured, which wins.
#[derive(Debug)]
pub(super) struct Merge(pub(super) Arc<Sources>);

impl SettingsSink for Merge {
    fn apply(&self, answer: &Tree) -> Applied {
        let (config, problems) = self.0.with_agent(answer);
        let applied = Applied {
            metrics_interval: config.metrics_interval,
            secrets: config.secrets.clone(),
            problems: problems.clone(),
        };
        let now = config.settings();
        // Logged without the lock of the running tracer: a logger may call what takes it.
        if let Some(before) = running::replace_settings(&self.0, config, problems) {
            for setting in changed(&now, &before) {
                log::debug(format_args!("setting {setting}"));
            }
        }
        applied
    }
}

fn changed<'a>(now: &'a [Setting], before: &'a [Setting]) -> impl Iterator<Item = &'a Setting> {
    now.iter().filter(|setting| !before.contains(setting))
}
