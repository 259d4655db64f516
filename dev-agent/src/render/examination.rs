//! The doctor's examination as text.

use super::{Style, count};
use crate::doctor::{Diagnosis, Fact, Report, Seen};
use crate::text::{clean, wrap};

/// Columns of the name of a check.
const CHECK: usize = 16;

/// What the doctor saw and found, in the order of the checks: a line a fact, two
/// a diagnosis, and a summary.
#[must_use]
pub fn examination(report: &Report, style: Style) -> String {
    let head = format!("agent {}, plugin {}", report.agent, report.plugin);
    let mut out = style.bold(&clean(&head));
    for seen in report.seen() {
        out += &match seen {
            Seen::Fact(fact) => self::fact(fact, style),
            Seen::Diagnosis(found) => diagnosis(found, style),
        };
    }
    let problems = report.problems().count();
    let notes = report.diagnoses.len().saturating_sub(problems);
    let summary = format!(
        "{}, {}",
        count(problems, "problem", "problems"),
        count(notes, "note", "notes")
    );
    let summary = match problems {
        0 => style.green(&summary),
        _ => style.red(&summary),
    };
    format!("{out}\n{summary}")
}

fn fact(fact: &Fact, style: Style) -> String {
    let check = style.dim(&format!("{:<CHECK$}", clean(fact.check)));
    let text = lines(&clean(&fact.text), CHECK + 3, style);
    format!("\n{} {check} {text}", style.green("✓"))
}

fn diagnosis(found: &Diagnosis, style: Style) -> String {
    let name = found.code.name();
    let (mark, code) = if found.code.is_note() {
        (style.cyan("·"), style.cyan(name))
    } else {
        (style.red("✗"), style.red(name))
    };
    let finding = format!("{name}: {}", clean(&found.finding));
    let finding = lines(&finding, 2, style);
    let finding = finding.strip_prefix(name).unwrap_or_default();
    let fix = lines(&clean(found.fix()), 4, style);
    format!("\n{mark} {code}{finding}\n    {fix}")
}

/// Lines that begin in that column; one, where the output is no terminal.
fn lines(text: &str, indent: usize, style: Style) -> String {
    let Some(columns) = style.terminal() else {
        return text.to_owned();
    };
    let room = columns.saturating_sub(indent).max(20);
    wrap(text, room).join(&format!("\n{}", " ".repeat(indent)))
}
