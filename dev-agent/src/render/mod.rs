//! Text for a terminal. Every function is pure, but for [`Style::of_stdout`]: a
//! value and a style in, text out.

mod bar;
mod examination;
mod style;
#[cfg(test)]
mod tests;
mod tree;

use serde_json::Value;

pub use self::examination::examination;
pub use self::style::Style;

pub use self::tree::tree;
use crate::map::Service;
use crate::notice::Notice;
use crate::state::Process;
use crate::text;
pub use crate::text::{clean, printable, printable_json};
use crate::validate::Finding;

/// A violation or note, on one line: who, what, where, and of which request.
#[must_use]
pub fn finding(finding: &Finding, style: Style) -> String {
    let sender = match (&finding.service, finding.pid) {
        (Some(service), _) => format!("{service} "),
        (None, Some(pid)) => format!("process {pid} "),
        (None, None) => String::new(),
    };
    let verb = if finding.is_note() {
        "deviates from"
    } else {
        "violates"
    };
    let value = match finding.value.as_str() {
        "" => String::new(),
        value => format!(" ({value})"),
    };
    let number = match finding.seq {
        0 => String::new(),
        seq => format!("#{seq} "),
    };
    let text = format!(
        "! {sender}{verb} {} at {}{value}: {} [{number}{}]",
        finding.rule, finding.at, finding.message, finding.request
    );
    style.yellow(&clean(&text))
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
            let text = format!("▶ process {pid} {verb}: {name} ({plugin})");
            style.green(&clean(&text))
        }
        Notice::Event(event) => {
            let text = |key: &str| event.get(key).and_then(Value::as_str);
            let title = text("title").unwrap_or("monitoring event");
            let text = text("text").unwrap_or_default();
            style.cyan(clean(&format!("◆ event {title} {text}")).trim_end())
        }
        Notice::Missed(missed) => {
            let missed = match missed {
                1 => "1 line is".to_owned(),
                missed => format!("{missed} lines are"),
            };
            style.yellow(&format!("… {missed} not shown: there was no room for more"))
        }
        Notice::Named { pid, name } => style.green(&clean(&format!("▶ process {pid} is {name}"))),
        Notice::Refused { header, value } => {
            let advice = match *header {
                "Host" => "; if it is a tracer's name for this agent, start it with --host",
                _ => "",
            };
            let text = format!("! refused a web page's request ({header}: {value}){advice}");
            style.yellow(&clean(&text))
        }
        Notice::Restarted => {
            style.yellow("↻ agent restarted: every process has to announce itself again")
        }
        Notice::Trace(trace) => tree(trace, style),
        Notice::Violation(violation) => finding(violation, style),
    }
}

/// A service in one line: its calls, and how they went.
#[must_use]
pub fn service(service: &Service, style: Style) -> String {
    let calls = usize::try_from(service.calls).unwrap_or(usize::MAX);
    let text = format!(
        "{}, {:.1} % with errors, {:.0} ms on average, 95 % within {} ms, {}",
        count(calls, "call", "calls"),
        service.error_rate() * 100.0,
        service.mean_ms,
        service.p95_ms,
        count(service.instances, "instance", "instances"),
    );
    format!(
        "{}  {text}",
        style.bold(&text::fit(&clean(&service.name), NAME))
    )
}

/// A process in one line: who it is, and what it sent.
#[must_use]
pub fn process(process: &Process, style: Style) -> String {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let text = format!(
        "process {} ({}), {}, {}",
        process.pid(),
        clean(process.plugin()),
        count(number(process.span_count()), "span", "spans"),
        count(
            number(process.metric_count()),
            "metrics body",
            "metrics bodies"
        ),
    );
    let lost = match process.lost_spans() {
        0 => String::new(),
        lost => {
            let lost = count(number(lost), "span", "spans");
            style.red(&format!(
                ", {lost} lost in the wrong place: see instana::status()"
            ))
        }
    };
    format!(
        "{}  {text}{lost}",
        style.bold(&text::fit(&clean(&process.name()), NAME))
    )
}

/// Columns of a name at the beginning of a line.
const NAME: usize = 16;

/// Milliseconds for people.
fn duration(ms: u64) -> String {
    match ms {
        0 => "<1 ms".to_owned(),
        1..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{:02} s", ms / 1000, ms % 1000 / 10),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// The time of day of milliseconds since 1970, in UTC.
fn time_of_day(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{ms:03}Z", seconds % 60)
}

/// A number and its noun.
#[must_use]
pub fn count(number: usize, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{number} {noun}")
}
