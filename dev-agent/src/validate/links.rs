//! Parent links of a trace (docs/PROTOCOL.md, "Kinds and parents"), checked once its
//! processes are quiet.

use std::collections::HashMap;

use super::finding::{Finding, shorten};
use super::report::Report;
use super::rule::Rule;
use crate::store::SpanRecord;

/// The conditions for the links of a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The agent has dropped no span of it to stay within its memory.
    pub(crate) complete: bool,
    /// Exits may be without a parent.
    pub(crate) root_exits: bool,
}

/// Collects the violations among links, up to a number of them.
#[derive(Debug)]
pub(crate) struct Links {
    limit: usize,
    found: Vec<Finding>,
    total: u64,
}

impl Links {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            found: Vec::new(),
            total: 0,
        }
    }

    /// Checks the links among the spans of one trace.
    pub(crate) fn check(
        &mut self,
        trace: &str,
        spans: &[&SpanRecord],
        rules: Rules,
        service: impl Fn(&SpanRecord) -> String,
    ) {
        let by_id: HashMap<&str, &SpanRecord> =
            spans.iter().map(|span| (span.id(), *span)).collect();
        for span in spans {
            let link = Link { span, rules };
            let Some(breach) = link.check(&by_id) else {
                continue;
            };
            if breach.rule.is_note_for(span.plugin()) {
                continue;
            }
            self.total += 1;
            if self.found.len() >= self.limit {
                continue;
            }
            let request = format!("trace {}", shorten(trace));
            let mut report = Report::new(0, request, span.pid(), span.plugin());
            report.set_service(Some(&service(span)));
            let at = format!("{} {} /p", shorten(&span.name()), span.id());
            report.text(breach.rule, at, breach.parent, breach.message());
            self.found.extend(report.findings().0);
        }
    }

    /// The violations found, and the number of all.
    pub(crate) fn violations(self) -> (Vec<Finding>, u64) {
        (self.found, self.total)
    }
}

struct Link<'a> {
    span: &'a SpanRecord,
    rules: Rules,
}

struct Breach<'a> {
    rule: Rule,
    parent: &'a str,
    /// The exit that is the parent.
    exit: Option<&'a SpanRecord>,
}

impl<'a> Link<'a> {
    fn check(&self, by_id: &HashMap<&str, &'a SpanRecord>) -> Option<Breach<'a>> {
        let span = self.span;
        let breach = |rule, parent, exit| Some(Breach { rule, parent, exit });
        let Some(parent) = span.parent() else {
            let root_exit = span.kind() == Some(2) && !self.rules.root_exits;
            return root_exit.then(|| breach(Rule::RootExit, "", None))?;
        };
        // The parent of an entry may be of a process that reports elsewhere.
        if span.kind() == Some(1) {
            return None;
        }
        let Some(above) = by_id.get(parent) else {
            let unknown = self.rules.complete;
            return unknown.then(|| breach(Rule::ParentKnown, parent, None))?;
        };
        if above.kind() != Some(2) {
            return None;
        }
        match span.kind() {
            Some(2) if !span.is_log() && !above.is_log() => {
                breach(Rule::ExitUnderExit, parent, Some(above))
            }
            Some(3) => breach(Rule::IntermediateUnderExit, parent, Some(above)),
            _ => None,
        }
    }
}

impl Breach<'_> {
    fn message(&self) -> String {
        match (self.exit, self.rule) {
            (Some(exit), _) => format!("is the exit {}", exit.name()),
            (None, Rule::RootExit) => "is missing".to_owned(),
            (None, _) => "is no span of the trace".to_owned(),
        }
    }
}
