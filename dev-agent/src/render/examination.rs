use super::{Style, count};
use crate::doctor::Report;

/// What the doctor saw and found: a line a fact, two a diagnosis, and a summary.
#[must_use]
pub fn examination(report: &Report, style: Style) -> String {
    let mut out = style.bold(&format!("agent {}, plugin {}", report.agent, report.plugin));
    for fact in &report.facts {
        let check = style.dim(&format!("{:<16}", fact.check));
        out += &format!("\n{} {check} {}", style.green("✓"), fact.text);
    }
    for found in &report.diagnoses {
        let (mark, code) = if found.code.is_note() {
            (style.cyan("·"), style.cyan(found.code.name()))
        } else {
            (style.red("✗"), style.red(found.code.name()))
        };
        out += &format!("\n{mark} {code}: {}\n    {}", found.finding, found.fix());
    }
    let problems = report.problems().count();
    let notes = report.diagnoses.len().saturating_sub(problems);
    let summary = format!("{}, {}", count(problems, "problem"), count(notes, "note"));
    let summary = match problems {
        0 => style.green(&summary),
        _ => style.red(&summary),
    };
    format!("{out}\n{summary}")
}
