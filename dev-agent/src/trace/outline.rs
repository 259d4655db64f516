//! The order of a trace's spans as a tree, depth first.

use std::collections::HashMap;

use super::TraceSpan;
use crate::store::SpanRecord;

/// A line of the tree: a span and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// Index into [`crate::Trace::spans`].
    pub span: usize,
    /// 0 for roots.
    pub depth: usize,
    /// Whether it is the last child of its parent.
    pub last: bool,
}

/// An item of a tree.
pub(super) trait Placed {
    fn id(&self) -> &str;
    fn parent(&self) -> Option<&str>;
}

impl Placed for TraceSpan {
    fn id(&self) -> &str {
        &self.id
    }

    fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }
}

impl Placed for &SpanRecord {
    fn id(&self) -> &str {
        SpanRecord::id(self)
    }

    fn parent(&self) -> Option<&str> {
        SpanRecord::parent(self)
    }
}

/// The children of each span, as lists through the spans.
struct Children {
    first: Vec<Option<usize>>,
    next: Vec<Option<usize>>,
}

/// Depth first from the roots, then from spans that no root reaches (cycles). The spans
/// come in the order of siblings.
pub(super) fn outline<T: Placed>(spans: &[T]) -> Vec<Row> {
    let (roots, children) = links(spans);
    let mut rows = Vec::with_capacity(spans.len());
    let mut seen = vec![false; spans.len()];
    for start in roots.into_iter().chain(0..spans.len()) {
        let mut stack = vec![Row {
            span: start,
            depth: 0,
            last: true,
        }];
        while let Some(row) = stack.pop() {
            match seen.get_mut(row.span) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            rows.push(row);
            let (depth, begin) = (row.depth + 1, stack.len());
            let mut child = get(&children.first, row.span);
            while let Some(span) = child {
                child = get(&children.next, span);
                let last = child.is_none();
                stack.push(Row { span, depth, last });
            }
            if let Some(below) = stack.get_mut(begin..) {
                below.reverse();
            }
        }
    }
    rows
}

fn links<T: Placed>(spans: &[T]) -> (Vec<usize>, Children) {
    let mut by_id: HashMap<&str, usize> = HashMap::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        by_id.entry(span.id()).or_insert(index);
    }
    let mut children = Children {
        first: vec![None; spans.len()],
        next: vec![None; spans.len()],
    };
    let mut roots = Vec::new();
    // Backwards, so that each list is in order.
    for (index, span) in spans.iter().enumerate().rev() {
        let parent = span.parent().and_then(|parent| by_id.get(parent));
        match parent.filter(|parent| **parent != index) {
            Some(parent) => {
                let first = children.first.get_mut(*parent);
                let before = first.and_then(|first| first.replace(index));
                if let Some(next) = children.next.get_mut(index) {
                    *next = before;
                }
            }
            None => roots.push(index),
        }
    }
    roots.reverse();
    (roots, children)
}

fn get(list: &[Option<usize>], index: usize) -> Option<usize> {
    list.get(index).copied().flatten()
}

/// The rows that are `wanted`, and those above them.
pub(super) fn with_ancestors(rows: &[Row], wanted: impl Fn(usize) -> bool) -> Vec<Row> {
    let mut kept = vec![false; rows.len()];
    let mut above: Vec<usize> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        above.truncate(row.depth);
        above.push(at);
        if !wanted(row.span) {
            continue;
        }
        for ancestor in above.iter().rev() {
            match kept.get_mut(*ancestor) {
                Some(kept) if !*kept => *kept = true,
                // So are those above.
                _ => break,
            }
        }
    }
    let rows = rows.iter().zip(kept);
    rows.filter(|(_, kept)| *kept)
        .map(|(row, _)| *row)
        .collect()
}
