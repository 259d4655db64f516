//! Span filters (as in Python).

use crate::config::{FilterAttribute, FilterMatch, SpanFilter};
use crate::policy::rules::Subject;

/// One filter.
#[derive(Debug)]
pub(super) struct Filter {
    attributes: Vec<FilterAttribute>,
    suppression: bool,
}

/// Whether a filter matches a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// Something that it asks for is not there, or not there yet.
    Unknown,
}

impl Filter {
    pub(super) fn new(filter: &SpanFilter) -> Self {
        Self {
            attributes: filter.attributes.clone(),
            suppression: filter.suppression,
        }
    }

    /// Whether calls below a span that it leaves out are left out, too.
    pub(super) fn suppresses(&self) -> bool {
        self.suppression
    }

    /// All attributes have to match.
    pub(super) fn ask(&self, subject: &Subject<'_>) -> Answer {
        let mut answer = Answer::Yes;
        for attribute in &self.attributes {
            match subject.value(&attribute.key) {
                Some(value) if matches(attribute, &value) => {}
                None if subject.may_have(&attribute.key) => answer = Answer::Unknown,
                Some(_) | None => return Answer::No,
            }
        }
        answer
    }
}

fn matches(attribute: &FilterAttribute, value: &str) -> bool {
    attribute.values.iter().any(|wanted| {
        wanted == "*"
            || match attribute.comparison {
                FilterMatch::Strict => value == wanted,
                FilterMatch::Contains => value.contains(wanted.as_str()),
                FilterMatch::StartsWith => value.starts_with(wanted.as_str()),
                FilterMatch::EndsWith => value.ends_with(wanted.as_str()),
            }
    })
}
