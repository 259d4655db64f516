//! Text for a terminal. Every function is pure: a value and a style in, text out.

mod bar;
mod examination;
mod style;
#[cfg(test)]
mod tests;
mod tree;

pub use self::examination::examination;
pub use self::style::Style;
pub use self::tree::tree;
use crate::notice::Notice;
use crate::validate::Finding;

/// A violation or note, on one line.
#[must_use]
pub fn finding(finding: &Finding, style: Style) -> String {
    let text = clean(&finding.to_string());
    let rest = text.strip_prefix(finding.rule.name()).unwrap_or(&text);
    style.yellow(&format!("! violates {}{rest}", finding.rule))
}

/// What happened, in one or more lines.
#[must_use]
pub fn notice(notice: &Notice, style: Style) -> String {
    match notice {
        Notice::Announced {
            pid,
            plugin,
            name,
            again,
        } => {
            let verb = if *again { "is back" } else { "found" };
            let text = format!(
                "▶ process {pid} {verb}: {} ({})",
                clean(name),
                clean(plugin)
            );
            style.green(&text)
        }
        Notice::Event(event) => {
            let title = event
                .get("title")
                .and_then(serde_json::Value::as_str)
                .unwrap_or("monitoring event");
            let text = event
                .get("text")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            style.cyan(format!("◆ event {} {}", clean(title), clean(text)).trim_end())
        }
        Notice::Restarted => {
            style.yellow("↻ agent restarted: every process has to announce itself again")
        }
        Notice::Trace(trace) => tree(trace, style),
        Notice::Violation(violation) => finding(violation, style),
    }
}

/// Milliseconds for people.
fn duration(ms: u64) -> String {
    match ms {
        0 => "<1 ms".to_owned(),
        1..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{:02} s", ms / 1000, ms % 1000 / 10),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Text from outside must not steer the terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '·' } else { c })
        .collect()
}
