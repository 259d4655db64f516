//! `Report`: collects the findings of one request.

use std::io;

use serde_json::Value;

use super::finding::{Finding, part, shorten};
use super::rule::Rule;

/// Further findings of a request are counted only.
const FINDINGS: usize = 1000;
/// More of a value is not written out.
const SHOWN: usize = 600;

/// Collects the findings of one request.
#[derive(Debug)]
pub(crate) struct Report {
    seq: u64,
    request: String,
    pid: Option<u64>,
    plugin: String,
    service: Option<String>,
    findings: Vec<Finding>,
    violations: u64,
    notes: u64,
}

impl Report {
    pub(crate) fn new(seq: u64, request: String, pid: Option<u64>, plugin: &str) -> Self {
        Self {
            seq,
            request: part(request),
            pid,
            plugin: plugin.to_owned(),
            service: None,
            findings: Vec::new(),
            violations: 0,
            notes: 0,
        }
    }

    pub(crate) fn plugin(&self) -> &str {
        &self.plugin
    }

    pub(crate) fn pid(&self) -> Option<u64> {
        self.pid
    }

    /// The service that further findings are of.
    pub(crate) fn set_service(&mut self, service: Option<&str>) {
        if self.service.as_deref() != service {
            self.service = service.map(shorten);
        }
    }

    /// A breach by a part that is a JSON value.
    pub(crate) fn value(
        &mut self,
        rule: Rule,
        at: impl Into<String>,
        value: &Value,
        message: impl Into<String>,
    ) {
        if self.is_open(rule) {
            self.push(rule, at.into(), &beginning(value), message.into());
        }
    }

    /// A breach by a part that is text, or is missing (empty text).
    pub(crate) fn text(
        &mut self,
        rule: Rule,
        at: impl Into<String>,
        value: &str,
        message: impl Into<String>,
    ) {
        if self.is_open(rule) {
            self.push(rule, at.into(), value, message.into());
        }
    }

    /// A breach by a part that is not there.
    pub(crate) fn missing(&mut self, rule: Rule, at: impl Into<String>) {
        self.text(rule, at, "", "is missing");
    }

    /// The findings, and how many more violations and notes there are.
    pub(crate) fn findings(self) -> (Vec<Finding>, u64, u64) {
        (self.findings, self.violations, self.notes)
    }

    /// Whether there is room for a finding; else it is counted.
    fn is_open(&mut self, rule: Rule) -> bool {
        if self.findings.len() < FINDINGS {
            return true;
        }
        if rule.is_note_for(&self.plugin) {
            self.notes += 1;
        } else {
            self.violations += 1;
        }
        false
    }

    fn push(&mut self, rule: Rule, at: String, value: &str, message: String) {
        self.findings.push(Finding {
            rule,
            at: part(at),
            value: shorten(value),
            message: part(message),
            seq: self.seq,
            request: self.request.clone(),
            pid: self.pid,
            plugin: self.plugin.clone(),
            service: self.service.clone(),
        });
    }
}

/// The beginning of a value as JSON: values may be large.
fn beginning(value: &Value) -> String {
    struct Head(Vec<u8>);
    impl io::Write for Head {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len() > SHOWN {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let some = bytes.get(..SHOWN).unwrap_or(bytes);
            self.0.extend_from_slice(some);
            Ok(some.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut head = Head(Vec::new());
    // What is missing is shortened away.
    let _ = serde_json::to_writer(&mut head, value);
    String::from_utf8_lossy(&head.0).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn findings_are_bounded_and_counted() {
        let mut report = Report::new(1, "x".repeat(10_000), None, "nodejs");
        let large = json!({"text": "é".repeat(10_000)});
        for _ in 0..FINDINGS + 3 {
            report.value(Rule::Data, "/a".repeat(1000), &large, "m".repeat(10_000));
        }
        report.missing(Rule::NullMember, "");
        let (findings, violations, notes) = report.findings();
        assert_eq!((findings.len(), violations, notes), (FINDINGS, 3, 1));
        let found = &findings[0];
        assert!(found.value.starts_with("{\"text\":\"éé"), "{}", found.value);
        let texts = [&found.at, &found.value, &found.message, &found.request];
        assert!(texts.iter().all(|text| text.chars().count() <= 301));
    }
}
