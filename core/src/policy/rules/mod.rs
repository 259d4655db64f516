//! Which spans are not recorded: by category and type, by endpoint, by what they
//! hold. One engine for what the siblings have three of.
//!
//! What is known when a span starts can suppress the calls below it, too. What
//! is known only later, such as a status, drops that span alone, on the agent
//! thread.

mod endpoint;
mod filter;
mod subject;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::endpoint::Endpoint;
use self::filter::{Answer, Filter};
use crate::config::{Config, Disabled};
use crate::record::Family;
use crate::record::head::Record;
use crate::record::registry::FAMILIES;

pub(crate) use self::subject::Subject;

/// The rules of one state of the settings.
#[derive(Debug)]
pub(crate) struct Rules {
    disabled: Disabled,
    endpoints: Vec<Endpoint>,
    /// Whether calls below an ignored one are suppressed.
    endpoints_suppress: bool,
    exclude: Vec<Filter>,
    include: Vec<Filter>,
}

/// What the rules say about a span that starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Record,
    /// Not recorded; `suppress`: nothing below it either.
    Ignore {
        suppress: bool,
    },
}

impl Rules {
    /// `None` where there are none.
    pub(crate) fn of(config: &Config) -> Option<Arc<Self>> {
        let filters = &config.filters;
        let active = |filters: &[_]| filters.iter().map(Filter::new).collect();
        let (exclude, include) = if filters.deactivate || filters.exclude.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            (active(&filters.exclude), active(&filters.include))
        };
        let rules = Self {
            disabled: config.disable.clone(),
            endpoints: config
                .ignored_endpoints
                .iter()
                .filter_map(Endpoint::new)
                .collect(),
            endpoints_suppress: config.ignored_endpoints_suppression,
            exclude,
            include,
        };
        rules.is_any().then(|| Arc::new(rules))
    }

    fn is_any(&self) -> bool {
        self.disabled.is_any() || !self.endpoints.is_empty() || !self.exclude.is_empty()
    }

    /// Whether spans of this family are not recorded. A type wins over its
    /// category.
    pub(crate) fn is_disabled(&self, family: &'static Family) -> bool {
        let names = family.type_names().chain([family.category()]);
        let said = names
            .filter_map(|name| self.disabled.names.get(name))
            .next();
        said.copied().unwrap_or(self.disabled.all)
    }

    /// What to do with a span of which this is known when it starts.
    pub(crate) fn at_start(&self, subject: &Subject<'_>) -> Verdict {
        if self.endpoints.iter().any(|endpoint| endpoint.is(subject)) {
            return Verdict::Ignore {
                suppress: self.endpoints_suppress,
            };
        }
        let excluded = self
            .exclude
            .iter()
            .find(|filter| filter.suppresses() && filter.ask(subject) == Answer::Yes);
        // What is not known yet may make an `include` match.
        let may_be_included = || {
            self.include
                .iter()
                .any(|filter| filter.ask(subject) != Answer::No)
        };
        match excluded {
            Some(_) if !may_be_included() => Verdict::Ignore { suppress: true },
            _ => Verdict::Record,
        }
    }

    /// Whether a record is left out.
    pub(crate) fn ignore(&self, record: &Record<'_>) -> bool {
        let family = FAMILIES.get(record.head.traits.family());
        let attributes = record.attributes;
        family.is_some_and(|family| self.at_end(&Subject { family, attributes }))
    }

    /// Whether a finished span is left out: also one that was recorded before the
    /// agent said what is to be.
    fn at_end(&self, subject: &Subject<'_>) -> bool {
        let is = |filter: &Filter| filter.ask(subject) == Answer::Yes;
        self.is_disabled(subject.family)
            || self.endpoints.iter().any(|endpoint| endpoint.is(subject))
            || (self.exclude.iter().any(is) && !self.include.iter().any(is))
    }
}
