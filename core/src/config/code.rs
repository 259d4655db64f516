//! What code set.

use std::time::Duration;

use super::parse;
use super::{Config, Problem};
use crate::log::Level;
use crate::secrets::Matcher;

/// The settings that the builder collects; `None` is what was not set. Text is
/// as the user wrote it and is checked when it is resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeSettings {
    /// `host` or `host:port`.
    pub(crate) agent: Option<String>,
    pub(crate) agent_timeout: Option<Duration>,
    pub(crate) plugin: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) process_name: Option<String>,
    pub(crate) secrets: Option<Matcher>,
    pub(crate) extra_headers: Option<Vec<String>>,
    pub(crate) w3c_correlation: Option<bool>,
    pub(crate) w3c_propagation: Option<bool>,
    pub(crate) allow_root_exit: Option<bool>,
    pub(crate) log_level: Option<Level>,
    pub(crate) buffer_bytes: Option<usize>,
    pub(crate) poll_timing: Option<bool>,
    pub(crate) slow_poll: Option<Duration>,
    pub(crate) flush_deadline: Option<Duration>,
}

impl CodeSettings {
    /// Lays these settings over the defaults in `config`.
    pub(super) fn apply(self, config: &mut Config, problems: &mut Vec<Problem>) {
        if let Some(value) = &self.agent {
            match parse::address(value) {
                Some((host, port)) => {
                    config.agent_host = host;
                    config.agent_port = port.unwrap_or(config.agent_port);
                }
                None => {
                    let using = format!("{}:{}", config.agent_host, config.agent_port);
                    problems.push(Problem::new("agent", value, parse::ADDRESS, using));
                }
            }
        }
        if let Some(value) = &self.plugin {
            match parse::plugin(value) {
                Some(plugin) => config.plugin = plugin,
                None => {
                    let using = config.plugin.clone();
                    problems.push(Problem::new("plugin", value, parse::PLUGIN, using));
                }
            }
        }
        if let Some(names) = &self.extra_headers {
            let (good, bad) = parse::header_names(names.iter().map(String::as_str));
            for name in bad {
                let using = "the other names".to_owned();
                problems.push(Problem::new("extra_headers", &name, parse::HEADER, using));
            }
            config.extra_headers = Some(good);
        }
        config.service = self.service.as_deref().and_then(parse::name);
        config.process_name = self.process_name.as_deref().and_then(parse::name);
        config.secrets = self.secrets;
        set(&mut config.agent_timeout, self.agent_timeout);
        set(&mut config.w3c_correlation, self.w3c_correlation);
        set(&mut config.w3c_propagation, self.w3c_propagation);
        set(&mut config.allow_root_exit, self.allow_root_exit);
        set(&mut config.log_level, self.log_level);
        set(&mut config.buffer_bytes, self.buffer_bytes);
        set(&mut config.poll_timing, self.poll_timing);
        set(&mut config.slow_poll, self.slow_poll);
        set(&mut config.flush_deadline, self.flush_deadline);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
