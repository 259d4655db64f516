//! `Finding`: one breach of a rule.

use std::fmt;

use serde_json::{Value, json};

use super::rule::Rule;
use crate::store::Weigh;

/// Longer parts of a finding are cut.
const PART: usize = 300;

/// One breach of a [`Rule`]: a violation, or a note where the sender's plugin
/// is known for it ([`Rule::is_note_for`]).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The offending part: a JSON pointer into the body (`/0/data/http/status`),
    /// a header name, or `url`.
    pub at: String,
    /// The offending value, shortened to 120 characters.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
    /// Number of the request, see [`crate::Request::seq`]; 0 for what was found
    /// between requests (parent links).
    pub seq: u64,
    /// Method and path of the request; trace id for parent links.
    pub request: String,
    /// The pid in the URL.
    pub pid: Option<u64>,
    /// The plugin name in the URL, `rawtrace` for spans without an announce.
    pub plugin: String,
    /// The service that sent it: `data.service` of the span, else the name of
    /// the process, if it is known.
    pub service: Option<String>,
}

impl Finding {
    /// Whether it is a note: an accepted habit of the plugin.
    #[must_use]
    pub fn is_note(&self) -> bool {
        self.rule.is_note_for(&self.plugin)
    }

    /// The finding as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "rule": self.rule.name(), "at": self.at, "value": self.value,
            "message": self.message, "seq": self.seq, "request": self.request,
            "pid": self.pid, "plugin": self.plugin, "service": self.service,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.rule, self.at)?;
        if !self.value.is_empty() {
            write!(f, " ({})", self.value)?;
        }
        write!(f, ": {} [", self.message)?;
        if self.seq > 0 {
            write!(f, "#{} ", self.seq)?;
        }
        write!(f, "{}", self.request)?;
        match &self.service {
            Some(service) => write!(f, " of {service}]"),
            None => f.write_str("]"),
        }
    }
}

impl Weigh for Finding {
    fn weight(&self) -> usize {
        let texts = [
            &self.at,
            &self.value,
            &self.message,
            &self.request,
            &self.plugin,
        ];
        let service = self.service.as_ref().map_or(0, Weigh::weight);
        texts.into_iter().map(Weigh::weight).sum::<usize>() + service
    }
}

/// The violations of an agent, as an error: [`crate::DevAgent::check`].
#[derive(Clone, Debug)]
pub struct Violations {
    pub(crate) list: Vec<Finding>,
    pub(crate) total: u64,
}

impl Violations {
    /// The violations that are kept (the newest 1000).
    #[must_use]
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    fn counted(&self) -> String {
        let plural = if self.total == 1 { "" } else { "s" };
        format!("{} violation{plural}", self.total)
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of the agent protocol:", self.counted())?;
        for finding in self.list.iter().take(50) {
            writeln!(f, "  {finding}")?;
        }
        if self.total > 50 {
            writeln!(f, "  … and {} more", self.total.saturating_sub(50))?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// Shortens text to 120 characters.
pub(crate) fn shorten(text: &str) -> String {
    cut(text, 120)
}

/// Shortens a part of a finding.
pub(super) fn part(text: impl Into<String>) -> String {
    let text = text.into();
    if text.len() <= PART {
        return text;
    }
    cut(&text, PART)
}

/// The first so many characters.
fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
