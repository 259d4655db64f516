//! A trace as a tree of text.

use std::collections::{BTreeSet, HashMap};

use super::bar::bar;
use super::{Style, count, duration, time_of_day};
use crate::text::{clean, cut, cut_path, fit, is_path, width};
use crate::trace::{Row, SpanKind, Trace, TraceSpan};

/// Status, duration and the blanks around them.
const NUMBERS: usize = 18;
/// Columns of the kind.
const KIND: usize = 6;
/// Columns of what a span does that are kept beside its target.
const SHORTEST: usize = 12;
/// Longer traces are cut.
const ROWS: usize = 200;

/// A trace as a tree: a line of totals, then a line a span with service, kind,
/// what it does, status, duration and its place in the trace's time. Of a trace
/// that was shown before, only the spans that came since, and those above them.
#[must_use]
pub fn tree(trace: &Trace, style: Style) -> String {
    let mut out = headline(trace, style);
    out.push_str(&details(trace, style));
    let services = Services::of(trace);
    let mut lasts: Vec<bool> = Vec::new();
    let mut above: Vec<String> = Vec::new();
    for row in trace.rows().iter().take(ROWS) {
        let Some(span) = trace.spans().get(row.span) else {
            continue;
        };
        lasts.truncate(row.depth);
        above.truncate(row.depth);
        let service = services.name(span);
        let line = Line {
            trace,
            span,
            row,
            lasts: &lasts,
            service: (above.last() != Some(&service)).then_some(&service),
            style,
        };
        out.push_str(&line.render());
        lasts.push(row.last);
        above.push(service);
    }
    let shown = trace.rows().len().min(ROWS);
    let all = match trace.late() {
        0 => trace.span_count(),
        _ => trace.rows().len(),
    };
    if all > shown {
        let more = count(all - shown, "more span", "more spans");
        out.push_str(&style.dim(&format!("\n  … {more}")));
    }
    out
}

fn headline(trace: &Trace, style: Style) -> String {
    let errors = trace.errors();
    let mark = match trace.late() {
        0 => "●",
        _ => "↻",
    };
    let mark = if errors > 0 {
        style.red(mark)
    } else {
        style.green(mark)
    };
    let services = count(trace.services().len(), "service", "services");
    let what = match trace.late() {
        0 => services,
        late => count(late, "late span", "late spans"),
    };
    let totals = format!(
        "{what}  {}  {}",
        count(trace.span_count(), "span", "spans"),
        duration(trace.duration_ms()),
    );
    let errors = match errors {
        0 => String::new(),
        errors => format!("  {}", style.red(&count(errors, "error", "errors"))),
    };
    let time = time_of_day(trace.start_ms());
    let id = cut(&clean(trace.id()), 32);
    // Narrow terminals get two lines.
    let columns = width(&time) + width(&id) + width(&totals) + 22;
    let between = if columns > style.columns() { "\n " } else { "" };
    format!(
        "{mark} {} trace {}{between}  {totals}{errors}",
        style.dim(&time),
        style.bold(&id)
    )
}

/// Properties that only some traces have: a long id, a synthetic request, a page view.
fn details(trace: &Trace, style: Style) -> String {
    let spans = || trace.spans().iter();
    let mut parts = Vec::new();
    if let Some(long) = spans().find_map(TraceSpan::long_trace_id) {
        parts.push(format!("long id {long}"));
    }
    if spans().any(TraceSpan::synthetic) {
        parts.push("synthetic".to_owned());
    }
    if let Some((kind, id)) = spans().find_map(TraceSpan::correlation) {
        parts.push(format!("correlation {kind} {id}"));
    }
    if parts.is_empty() {
        return String::new();
    }
    let text = format!("  {}", clean(&parts.join("  ")));
    format!("\n{}", style.dim(&cut(&text, style.columns())))
}

/// How services are called in a tree: with the pid, where several processes of
/// the trace have the same name.
struct Services<'a>(HashMap<&'a str, BTreeSet<u64>>);

impl<'a> Services<'a> {
    fn of(trace: &'a Trace) -> Self {
        let mut pids: HashMap<&str, BTreeSet<u64>> = HashMap::new();
        for span in trace.spans() {
            pids.entry(&span.service).or_default().extend(span.pid);
        }
        Self(pids)
    }

    fn name(&self, span: &TraceSpan) -> String {
        let several = |pids: &BTreeSet<u64>| pids.len() > 1;
        let several = self.0.get(span.service.as_str()).is_some_and(several);
        match span.pid.filter(|_| several) {
            Some(pid) => format!("{} ({pid})", span.service),
            None => span.service.clone(),
        }
    }
}

struct Line<'a> {
    trace: &'a Trace,
    span: &'a TraceSpan,
    row: &'a Row,
    lasts: &'a [bool],
    /// The service, where it is another one than the parent's.
    service: Option<&'a String>,
    style: Style,
}

impl Line<'_> {
    fn render(&self) -> String {
        let (span, style) = (self.span, self.style);
        let bar_columns = (style.columns() / 5).clamp(12, 40);
        let room = style.columns().saturating_sub(bar_columns + NUMBERS);
        let indent = self.indent(true);
        let left = room.saturating_sub(width(&indent) + KIND);
        let service = self.service(left);
        let label = self.label(left.saturating_sub(width(&service)));
        // Of a trace that was shown, what is not new only says where the rest belongs.
        let known = self.trace.late() > 0 && !span.late;
        let failed = span.errors > 0 && !known;
        let paint = |text: &str| match (known, failed) {
            (true, _) => style.dim(text),
            (_, true) => style.red(text),
            _ => text.to_owned(),
        };
        let offset = span.start_ms.saturating_sub(self.trace.start_ms());
        let total = self.trace.duration_ms();
        let bar = bar(offset, span.duration_ms, total, bar_columns);
        let bar = match known || failed {
            true => paint(&bar),
            false => style.cyan(&bar),
        };
        let status = format!("{:>4}", cut(&clean(&span.status), 4));
        let status = match span.status.starts_with('5') && !known {
            true => style.red(&status),
            false if known => style.dim(&status),
            false => status,
        };
        let line = format!(
            "\n{}{}{}{}  {status} {:>9}  {bar}",
            style.dim(&indent),
            style.bold(&service),
            style.dim(&format!("{:<KIND$}", self.kind())),
            paint(&label),
            duration(span.duration_ms),
        );
        format!("{line}{}", self.error())
    }

    /// What the span does, how often, and where an exit goes if that does not say
    /// it; what it does is cut first.
    fn label(&self, room: usize) -> String {
        let span = self.span;
        let label = clean(&span.label);
        let shorten = |label: &str, room: usize| match is_path(label) {
            true => fit(&cut_path(label, room), room),
            false => fit(label, room),
        };
        let (times, room) = match span.calls() {
            1 => (String::new(), room),
            calls => {
                let times = format!("{calls} × ");
                let left = room.saturating_sub(width(&times));
                (times, left)
            }
        };
        if span.target.is_empty() || span.kind != SpanKind::Exit || label.contains("://") {
            return format!("{times}{}", shorten(&label, room));
        }
        let (what, place) = span.target.split_once(' ').unwrap_or_default();
        let said = !place.is_empty() && span.label.ends_with(place);
        let target = format!(" → {}", clean(if said { what } else { &span.target }));
        let left = room.saturating_sub(width(&target));
        if left < SHORTEST || width(&label) <= left {
            return format!("{times}{}", fit(&format!("{label}{target}"), room));
        }
        format!("{times}{}{target}", shorten(&label, left))
    }

    fn kind(&self) -> &'static str {
        match self.span.kind {
            _ if self.span.name.starts_with("log") => "log",
            SpanKind::Entry => "entry",
            SpanKind::Exit => "exit",
            SpanKind::Intermediate => "local",
        }
    }

    fn service(&self, room: usize) -> String {
        let Some(service) = self.service else {
            return String::new();
        };
        let most = (room / 2).min(24);
        format!("{}  ", cut(&clean(service), most))
    }

    fn error(&self) -> String {
        let Some(error) = &self.span.error else {
            return String::new();
        };
        let (indent, columns) = (self.indent(false), self.style.columns());
        let room = columns.saturating_sub(width(&indent) + 4);
        let text = format!("  ✗ {}", cut(&clean(error), room));
        format!("\n{}{}", self.style.dim(&indent), self.style.red(&text))
    }

    fn indent(&self, branch: bool) -> String {
        let mut indent = String::from("  ");
        // Deeper rows are not indented further.
        let depth = self.row.depth.min(self.style.columns() / 8);
        // Lines of the ancestors below the root, then the branch to this row.
        for level in 1..depth {
            let last = self.lasts.get(level).copied().unwrap_or(true);
            indent.push_str(if last { "  " } else { "│ " });
        }
        if depth > 0 {
            indent.push_str(match (branch, self.row.last) {
                (true, true) => "└ ",
                (true, false) => "├ ",
                (false, true) => "  ",
                (false, false) => "│ ",
            });
        }
        indent
    }
}
