//! Parent links of a trace (docs/PROTOCOL.md, "Kinds and parents"), checked once its
//! processes are quiet.

use std::collections::HashMap;

use serde_json::Value;

use super::finding::Finding;
use super::report::Report;
use super::rule::Rule;
use crate::state::SpanRecord;

/// Checks the links among the spans of one trace. `complete` is false when the
/// agent has dropped spans of the trace to stay within its memory.
pub(crate) fn check(
    trace: &str,
    spans: &[&SpanRecord],
    complete: bool,
    root_exits: bool,
) -> Vec<Finding> {
    let by_id: HashMap<&str, &SpanRecord> = spans.iter().map(|span| (span.id(), *span)).collect();
    let mut findings = Vec::new();
    for span in spans {
        let request = format!("trace {trace}");
        let mut report = Report::new(0, request, span.pid(), span.plugin());
        let link = Link {
            span,
            root_exits,
            complete,
        };
        link.check(&by_id, &mut report);
        findings.extend(report.findings());
    }
    findings
}

struct Link<'a> {
    span: &'a SpanRecord,
    root_exits: bool,
    complete: bool,
}

impl Link<'_> {
    fn check(&self, by_id: &HashMap<&str, &SpanRecord>, report: &mut Report) {
        let (span, id) = (self.span, self.span.id());
        let at = format!("{} {id}", span.name());
        let Some(parent) = span.parent() else {
            if span.kind() == Some(2) && !self.root_exits {
                report.missing(Rule::RootExit, format!("{at} /p"));
            }
            return;
        };
        // The parent of an entry may be of a process that reports elsewhere.
        if span.kind() == Some(1) {
            return;
        }
        let Some(parent) = by_id.get(parent) else {
            if self.complete {
                let message = "is no span of the trace";
                report.text(Rule::ParentKnown, format!("{at} /p"), parent, message);
            }
            return;
        };
        if parent.kind() != Some(2) {
            return;
        }
        let message = format!("is the exit {}", parent.name());
        match span.kind() {
            Some(2) if !is_log(span) && !is_log(parent) => {
                report.text(
                    Rule::ExitUnderExit,
                    format!("{at} /p"),
                    parent.id(),
                    message,
                );
            }
            Some(3) => {
                report.text(
                    Rule::IntermediateUnderExit,
                    format!("{at} /p"),
                    parent.id(),
                    message,
                );
            }
            _ => {}
        }
    }
}

fn is_log(span: &SpanRecord) -> bool {
    span.value()
        .pointer("/data/log")
        .is_some_and(Value::is_object)
}
