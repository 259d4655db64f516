use serde_json::Value;

use super::finding::{Finding, shorten};
use super::rule::Rule;

/// Collects the findings of one request.
#[derive(Debug)]
pub(crate) struct Report {
    seq: u64,
    request: String,
    pid: Option<u64>,
    plugin: String,
    findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(seq: u64, request: String, pid: Option<u64>, plugin: &str) -> Self {
        Self {
            seq,
            request,
            pid,
            plugin: plugin.to_owned(),
            findings: Vec::new(),
        }
    }

    pub(crate) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// A breach by a part that is a JSON value.
    pub(crate) fn value(
        &mut self,
        rule: Rule,
        at: impl Into<String>,
        value: &Value,
        message: impl Into<String>,
    ) {
        self.text(rule, at, &value.to_string(), message);
    }

    /// A breach by a part that is text, or is missing (empty text).
    pub(crate) fn text(
        &mut self,
        rule: Rule,
        at: impl Into<String>,
        value: &str,
        message: impl Into<String>,
    ) {
        self.findings.push(Finding {
            rule,
            at: at.into(),
            value: shorten(value),
            message: message.into(),
            seq: self.seq,
            request: self.request.clone(),
            pid: self.pid,
            plugin: self.plugin.clone(),
        });
    }

    /// A breach by a part that is not there.
    pub(crate) fn missing(&mut self, rule: Rule, at: impl Into<String>) {
        self.text(rule, at, "", "is missing");
    }

    pub(crate) fn findings(self) -> Vec<Finding> {
        self.findings
    }
}
