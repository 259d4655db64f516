//! Spans below their parents.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::testing::RecordedSpan;

/// The finished spans of a recorder, each below its parent and in the order in
/// which they began. Displayed as [`Recorder::assert_tree`] reads it, with
/// durations and errors in parentheses.
///
/// [`Recorder::assert_tree`]: crate::testing::Recorder::assert_tree
#[derive(Clone, Debug)]
pub struct Tree {
    roots: Vec<Node>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: RecordedSpan,
    pub(super) children: Vec<Node>,
}

impl Tree {
    pub(super) fn new(mut spans: Vec<RecordedSpan>) -> Self {
        spans.sort_by_key(|span| span.start);
        let ids: HashSet<String> = spans.iter().map(RecordedSpan::id).collect();
        let mut roots = Vec::new();
        let mut below: HashMap<String, Vec<RecordedSpan>> = HashMap::new();
        for span in spans {
            let parent = span.parent();
            if ids.contains(&parent) {
                below.entry(parent).or_default().push(span);
            } else {
                roots.push(span);
            }
        }
        Self {
            roots: nodes(roots, &mut below),
        }
    }

    pub(super) fn into_roots(self) -> Vec<Node> {
        self.roots
    }

    pub(super) fn outlines(&self) -> Vec<Outline> {
        let mut outlines: Vec<Outline> = self.roots.iter().map(Node::outline).collect();
        outlines.sort();
        outlines
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.roots.is_empty() {
            return f.write_str("(no spans)\n");
        }
        self.roots.iter().try_for_each(|root| root.write(f, 0))
    }
}

fn nodes(spans: Vec<RecordedSpan>, below: &mut HashMap<String, Vec<RecordedSpan>>) -> Vec<Node> {
    let node = |span: RecordedSpan| {
        let children = below.remove(&span.id()).unwrap_or_default();
        Node {
            span,
            children: nodes(children, below),
        }
    };
    spans.into_iter().map(node).collect()
}

impl Node {
    /// `entry job`, with `!` for an error.
    fn label(&self) -> String {
        let mark = if self.span.errors() > 0 { " !" } else { "" };
        format!("{} {}{mark}", self.span.kind().word(), self.span.label())
    }

    fn outline(&self) -> Outline {
        let mut children: Vec<Outline> = self.children.iter().map(Self::outline).collect();
        children.sort();
        Outline {
            label: self.label(),
            children,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let millis = self.span.duration();
        write!(f, "{:1$}{2} ({millis} ms", "", depth * 2, self.label())?;
        if depth == 0 && self.span.has("p") {
            f.write_str(", continues a trace")?;
        }
        match self.span.error_text() {
            Some(error) => writeln!(f, ": {error})")?,
            None => writeln!(f, ")")?,
        }
        self.children
            .iter()
            .try_for_each(|child| child.write(f, depth + 1))
    }
}

/// The labels of a tree, siblings in the order of their text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Outline {
    label: String,
    children: Vec<Outline>,
}

impl Outline {
    /// Reads lines in which what is below is further to the right.
    pub(super) fn parse(text: &str) -> Vec<Self> {
        let lines: Vec<(usize, &str)> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| (line.len() - line.trim_start().len(), line.trim()))
            .collect();
        Self::siblings(&lines)
    }

    fn siblings(mut lines: &[(usize, &str)]) -> Vec<Self> {
        let mut siblings = Vec::new();
        while let [(indent, label), rest @ ..] = lines {
            let below = rest
                .iter()
                .take_while(|(deeper, _)| deeper > indent)
                .count();
            let (below, rest) = rest.split_at_checked(below).unwrap_or_default();
            siblings.push(Self {
                label: (*label).to_owned(),
                children: Self::siblings(below),
            });
            lines = rest;
        }
        siblings.sort();
        siblings
    }
}

impl fmt::Display for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn write(outline: &Outline, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
            writeln!(f, "{:1$}{2}", "", depth * 2, outline.label)?;
            outline
                .children
                .iter()
                .try_for_each(|child| write(child, f, depth + 1))
        }
        write(self, f, 0)
    }
}
