use super::bar::bar;
use super::{Style, clean, count, duration};
use crate::trace::{Row, SpanKind, Trace, TraceSpan};

const BAR: usize = 20;
/// Status, duration and the blanks around them.
const NUMBERS: usize = 18;
/// Deeper rows are not indented further.
const DEPTH: usize = 16;
/// Characters of what a span does that are kept beside its target.
const SHORTEST: usize = 12;
/// Longer traces are cut.
const ROWS: usize = 200;

/// A trace as a tree: a line of totals, then a line a span with service, kind,
/// what it does, status, duration and its place in the trace's time.
#[must_use]
pub fn tree(trace: &Trace, style: Style) -> String {
    let mut out = headline(trace, style);
    let mut lasts: Vec<bool> = Vec::new();
    let mut services: Vec<&str> = Vec::new();
    for row in trace.rows().iter().take(ROWS) {
        let Some(span) = trace.spans().get(row.span) else {
            continue;
        };
        lasts.truncate(row.depth);
        services.truncate(row.depth);
        let caller = services.last().copied();
        let line = Line {
            trace,
            span,
            row,
            lasts: &lasts,
            caller,
            style,
        };
        out.push_str(&line.render());
        lasts.push(row.last);
        services.push(&span.service);
    }
    let more = trace.rows().len().saturating_sub(ROWS);
    if more > 0 {
        out.push_str(&style.dim(&format!("\n  … {more} more spans")));
    }
    out
}

fn headline(trace: &Trace, style: Style) -> String {
    let errors = trace.errors();
    let mark = if errors > 0 {
        style.red("●")
    } else {
        style.green("●")
    };
    let totals = format!(
        "{}  {}  {}",
        count(trace.services().len(), "service"),
        count(trace.spans().len(), "span"),
        duration(trace.duration_ms()),
    );
    let errors = match errors {
        0 => String::new(),
        errors => format!("  {}", style.red(&count(errors, "error"))),
    };
    format!(
        "{mark} trace {}  {totals}{errors}",
        style.bold(&clean(trace.id()))
    )
}

struct Line<'a> {
    trace: &'a Trace,
    span: &'a TraceSpan,
    row: &'a Row,
    lasts: &'a [bool],
    /// The parent's service.
    caller: Option<&'a str>,
    style: Style,
}

impl Line<'_> {
    fn render(&self) -> String {
        let (span, style) = (self.span, self.style);
        let indent = self.indent(true);
        let service = self.service();
        let room = style.columns().saturating_sub(BAR + NUMBERS);
        let taken = indent.chars().count() + service.chars().count() + 6;
        let label = self.label(room.saturating_sub(taken));
        let (kind, label) = (
            format!("{:<6}", self.kind()),
            if span.errors > 0 {
                style.red(&label)
            } else {
                label
            },
        );
        let offset = span.start_ms.saturating_sub(self.trace.start_ms());
        let bar = bar(offset, span.duration_ms, self.trace.duration_ms(), BAR);
        let bar = if span.errors > 0 {
            style.red(&bar)
        } else {
            style.cyan(&bar)
        };
        let status = format!("{:>4}", clean(&span.status));
        let status = if span.status.starts_with('5') {
            style.red(&status)
        } else {
            status
        };
        let line = format!(
            "\n{}{}{}{label}  {status} {:>9}  {bar}",
            style.dim(&indent),
            style.bold(&service),
            style.dim(&kind),
            duration(span.duration_ms),
        );
        format!("{line}{}", self.error())
    }

    /// What the span does, how often, and where an exit goes if that does not tell;
    /// what it does is cut first.
    fn label(&self, room: usize) -> String {
        let span = self.span;
        let label = match span.calls() {
            1 => clean(&span.label),
            calls => format!("{calls} × {}", clean(&span.label)),
        };
        if span.target.is_empty() || span.kind != SpanKind::Exit || span.label.contains("://") {
            return fit(&label, room);
        }
        let (what, place) = span.target.split_once(' ').unwrap_or_default();
        let told = !place.is_empty() && span.label.ends_with(place);
        let target = format!(" → {}", clean(if told { what } else { &span.target }));
        let left = room.saturating_sub(target.chars().count());
        if left < SHORTEST || label.chars().count() <= left {
            return fit(&format!("{label}{target}"), room);
        }
        format!("{}{target}", fit(&label, left))
    }

    fn kind(&self) -> &'static str {
        match self.span.kind {
            _ if self.span.name.starts_with("log") => "log",
            SpanKind::Entry => "entry",
            SpanKind::Exit => "exit",
            SpanKind::Intermediate => "local",
        }
    }

    /// The service, where it is another one than the parent's.
    fn service(&self) -> String {
        if self.caller == Some(self.span.service.as_str()) {
            return String::new();
        }
        format!("{}  ", fit(&clean(&self.span.service), 24).trim_end())
    }

    fn error(&self) -> String {
        let Some(error) = &self.span.error else {
            return String::new();
        };
        let indent = self.indent(false);
        let room = self
            .style
            .columns()
            .saturating_sub(indent.chars().count() + 4);
        let text = clean(error);
        let text = fit(&text, room.min(text.chars().count()));
        format!(
            "\n{}{}",
            self.style.dim(&indent),
            self.style.red(&format!("  ✗ {text}"))
        )
    }

    fn indent(&self, branch: bool) -> String {
        let mut indent = String::from("  ");
        let depth = self.row.depth.min(DEPTH);
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

/// Exactly that many characters: padded, or cut with `…`.
fn fit(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return format!("{text:<room$}");
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{kept}…")
}
