//! Spans as a text that is the same in each run.

use std::fmt::Write;

use serde_json::Value;

use crate::testing::tree::{Node, Tree};

/// Members beside `data` that are not part of a snapshot: ids are shown by the
/// tree, times differ, name and kind are in the first line, and a stack changes
/// with each line of code.
const LEFT_OUT: [&str; 9] = ["d", "f", "k", "n", "p", "s", "stack", "t", "ts"];

/// The text of a tree.
pub(super) fn snapshot(tree: Tree) -> String {
    let roots = tree.into_roots();
    let mut ids = Ids::default();
    roots.iter().for_each(|root| ids.collect(root));
    let mut paragraphs: Vec<Paragraph> = roots
        .iter()
        .map(|root| Paragraph::new(root, &ids))
        .collect();
    paragraphs.sort();
    let (mut text, mut traces) = (String::new(), Vec::new());
    for root in &paragraphs {
        let known = traces.iter().position(|trace| *trace == root.trace);
        let number = known.unwrap_or_else(|| {
            traces.push(root.trace.clone());
            traces.len() - 1
        });
        root.write(&mut text, 0, &format!(" (trace {})", number + 1));
    }
    text
}

/// A span and what is below it. Siblings stand in the order of their text:
/// the order in time differs in each run where work is concurrent.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Paragraph {
    lines: Vec<String>,
    children: Vec<Paragraph>,
    trace: String,
}

impl Paragraph {
    fn new(node: &Node, ids: &Ids) -> Self {
        let span = &node.span;
        let mut lines = Vec::new();
        if let Value::Object(members) = span.value() {
            for (key, value) in members {
                let key = Some(key.as_str()).filter(|key| !LEFT_OUT.contains(key));
                // A span without errors needs no line for it.
                if let Some(key) = key.filter(|key| *key != "ec" || span.errors() > 0) {
                    let path = if key == "data" { "" } else { key };
                    flatten(path, value, ids, &mut lines);
                }
            }
        }
        lines.sort();
        lines.insert(0, format!("{} {}", span.kind().word(), span.name()));
        let mut children: Vec<Self> = node
            .children
            .iter()
            .map(|child| Self::new(child, ids))
            .collect();
        children.sort();
        Self {
            lines,
            children,
            trace: span.trace(),
        }
    }

    fn write(&self, text: &mut String, depth: usize, suffix: &str) {
        let indent = depth * 2;
        for (at, line) in self.lines.iter().enumerate() {
            // Writing into a string does not fail.
            let _ = match at {
                0 => writeln!(text, "{:indent$}- {line}{suffix}", ""),
                _ => writeln!(text, "{:indent$}    {line}", ""),
            };
        }
        for child in &self.children {
            child.write(text, depth + 1, "");
        }
    }
}

/// A line for each value, with its path.
fn flatten(path: &str, value: &Value, ids: &Ids, lines: &mut Vec<String>) {
    let path = path.trim_start_matches('.');
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (at, (key, value)) in members.iter().enumerate() {
                // The keys of a log are times.
                let key = if path.ends_with("sdk.custom.logs") {
                    at.to_string()
                } else {
                    key.clone()
                };
                flatten(&format!("{path}.{key}"), value, ids, lines);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                flatten(&format!("{path}.{at}"), item, ids, lines);
            }
        }
        Value::String(text) => {
            let text = without_times(&ids.hide(text));
            lines.push(format!("{path} = {}", Value::String(text)));
        }
        other => lines.push(format!("{path} = {other}")),
    }
}

/// "after N ms" for each number of milliseconds.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split("after ").enumerate() {
        if at > 0 {
            out.push_str("after ");
        }
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if at > 0 && rest.len() < part.len() && rest.starts_with(" ms") {
            out.push('N');
            out.push_str(rest);
        } else {
            out.push_str(part);
        }
    }
    out
}

/// Ids of the recorded spans, of their parents and traces.
#[derive(Default)]
struct Ids(Vec<(String, &'static str)>);

impl Ids {
    fn collect(&mut self, node: &Node) {
        self.add(node.span.trace(), "<trace>");
        self.add(node.span.id(), "<span>");
        self.add(node.span.parent(), "<span>");
        for child in &node.children {
            self.collect(child);
        }
    }

    fn add(&mut self, id: String, name: &'static str) {
        if !id.is_empty() && !self.0.iter().any(|(known, _)| *known == id) {
            self.0.push((id, name));
        }
    }

    fn hide(&self, text: &str) -> String {
        let hide = |text: String, (id, name): &(String, &str)| text.replace(id, name);
        self.0.iter().fold(text.to_owned(), hide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_taken_out() {
        let table = [
            ("cancelled after 12 ms", "cancelled after N ms"),
            ("after 1 ms and after 2 ms", "after N ms and after N ms"),
            ("after 12 s, 12 ms", "after 12 s, 12 ms"),
            ("12 ms after", "12 ms after"),
        ];
        for (text, expected) in table {
            assert_eq!(without_times(text), expected);
        }
    }
}
