//! Spans that are left out by what they hold.

use crate::config::Entry;
use crate::config::env::Environment;
use crate::config::kind::switch::flag;
use crate::config::kind::{Kind, LONGEST, MOST, Variable, texts};
use crate::config::reader::{Place, Reader};
use crate::config::tree::Node;

/// [`SpanFilters`], from variables with names of their own, or as a map of
/// `exclude` and `include`.
pub(crate) struct Filters;

const EXCLUDE: &str = "INSTANA_TRACING_FILTER_EXCLUDE_";
const INCLUDE: &str = "INSTANA_TRACING_FILTER_INCLUDE_";
const ATTRIBUTES: &str = "_ATTRIBUTES";
const SUPPRESSION: &str = "_SUPPRESSION";

/// What an attribute should be.
const ATTRIBUTE: &str =
    "key;value,value or key;value;match with the match strict, contains, startswith or endswith";
const RULE: &str = "a map of name, suppression and attributes (key, values, match_type)";
const REST: &str = "the other filters";

/// Which spans are left out. `include` is stronger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpanFilters {
    /// None of them is in force.
    pub(crate) deactivate: bool,
    pub(crate) exclude: Vec<SpanFilter>,
    pub(crate) include: Vec<SpanFilter>,
}

/// A rule that leaves spans out, or keeps them from being left out: those that
/// match all its attributes. Instana's Python tracer has the same rules.
///
/// ```
/// use instana::{FilterMatch, SpanFilter};
///
/// let health = SpanFilter::exclude("health")
///     .attribute("type", FilterMatch::Strict, ["http"])
///     .attribute("http.path", FilterMatch::StartsWith, ["/health", "/ready"]);
/// let builder = instana::builder().filters([health]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "give it to Builder::filters"]
pub struct SpanFilter {
    pub(crate) name: String,
    pub(crate) include: bool,
    /// Whether calls below a span that is left out are left out, too.
    pub(crate) suppression: bool,
    pub(crate) attributes: Vec<FilterAttribute>,
}

/// What a span has to hold: one of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterAttribute {
    /// `category`, `kind`, `type`, or a path such as `http.url`.
    pub(crate) key: String,
    /// `*` is any.
    pub(crate) values: Vec<String>,
    pub(crate) comparison: FilterMatch,
}

/// How an attribute is compared with the values of a [`SpanFilter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterMatch {
    /// It has one of them in it.
    Contains,
    /// It ends with one of them.
    EndsWith,
    /// It begins with one of them.
    StartsWith,
    /// It is one of them.
    #[default]
    Strict,
}

impl SpanFilter {
    /// Spans that match are left out.
    pub fn exclude(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            include: false,
            suppression: true,
            attributes: Vec::new(),
        }
    }

    /// Spans that match are kept, whatever excludes them.
    pub fn include(name: &str) -> Self {
        Self {
            include: true,
            ..Self::exclude(name)
        }
    }

    /// The span has at `key` one of the values; `*` is any value. A key is
    /// `category`, `kind` (`entry`, `exit`, `intermediate`), `type`, or the path
    /// of a field, such as `http.url`.
    pub fn attribute<'a>(
        mut self,
        key: &str,
        comparison: FilterMatch,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.attributes.push(FilterAttribute {
            key: key.to_owned(),
            values: values.into_iter().map(str::to_owned).collect(),
            comparison,
        });
        self
    }

    /// Whether calls below a span that is left out are left out, too; default: yes.
    pub fn suppression(mut self, on: bool) -> Self {
        self.suppression = on;
        self
    }

    fn is_usable(&self) -> bool {
        !self.attributes.is_empty()
            && self
                .attributes
                .iter()
                .all(|attribute| !attribute.key.is_empty() && !attribute.values.is_empty())
    }
}

impl FilterMatch {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "contains" => Self::Contains,
            "endswith" => Self::EndsWith,
            "startswith" => Self::StartsWith,
            "strict" => Self::Strict,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::EndsWith => "endswith",
            Self::StartsWith => "startswith",
            Self::Strict => "strict",
        }
    }
}

impl FromIterator<SpanFilter> for SpanFilters {
    fn from_iter<I: IntoIterator<Item = SpanFilter>>(filters: I) -> Self {
        let (include, exclude) = filters.into_iter().partition(|filter| filter.include);
        Self {
            deactivate: false,
            exclude,
            include,
        }
    }
}

impl Kind for Filters {
    type Value = SpanFilters;

    const ACCEPTED: &'static str = "a map of exclude, include and deactivate";

    fn is_usable(value: &SpanFilters) -> bool {
        let SpanFilters {
            exclude, include, ..
        } = value;
        exclude.len().max(include.len()) <= MOST
            && exclude.iter().chain(include).all(SpanFilter::is_usable)
    }

    /// One text has no filters in it.
    fn from_text(_: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<SpanFilters> {
        None
    }

    fn from_node(node: &Node, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<SpanFilters> {
        let mut filters = SpanFilters::default();
        for (name, node) in node.map()? {
            let place = place.inside(name, node);
            match (name.as_str(), node.text().and_then(flag)) {
                ("deactivate", Some(deactivate)) => filters.deactivate = deactivate,
                ("exclude", _) => filters.exclude = rules(node, false, &place, reader),
                ("include", _) => filters.include = rules(node, true, &place, reader),
                ("deactivate", None) => {
                    reader.skip(&place, &node.to_string(), "true or false", "the filters");
                }
                _ => reader.skip(&place, &node.to_string(), Self::ACCEPTED, REST),
            }
        }
        Some(filters)
    }

    fn show(value: &SpanFilters) -> String {
        let all = value.exclude.iter().chain(&value.include);
        let words: Vec<String> = all.map(show).collect();
        match value.deactivate {
            true => format!("deactivated: {}", crate::config::kind::joined(&words)),
            false => crate::config::kind::joined(&words),
        }
    }

    fn from_environment(
        _: &[Variable],
        environment: &Environment,
        reader: &mut Reader<'_>,
    ) -> Option<Entry<SpanFilters>> {
        let mut filters = Vec::new();
        let mut origin = None;
        for (prefix, include) in [(EXCLUDE, false), (INCLUDE, true)] {
            for (variable, name, text) in environment.between(prefix, ATTRIBUTES) {
                let place = Place::named(variable);
                let name = name.to_ascii_lowercase();
                let attributes: Option<Vec<_>> = text.text.split('|').map(attribute).collect();
                let filter = SpanFilter {
                    name,
                    include,
                    suppression: true,
                    attributes: attributes.filter(|_| text.usable).unwrap_or_default(),
                };
                if filter.is_usable() && filters.len() < MOST {
                    origin.get_or_insert(place.origin());
                    filters.push(filter);
                } else {
                    reader.skip(&place, &text.text, ATTRIBUTE, REST);
                }
            }
        }
        for (variable, name, text) in environment.between(EXCLUDE, SUPPRESSION) {
            let filter = filters
                .iter_mut()
                .find(|filter| !filter.include && filter.name.eq_ignore_ascii_case(name));
            let place = Place::named(variable);
            match (filter, flag(&text.text)) {
                (Some(filter), Some(on)) => filter.suppression = on,
                (Some(_), None) => reader.skip(&place, &text.text, "true or false", "true"),
                (None, _) => {
                    let accepted = "of a filter: its _ATTRIBUTES are missing";
                    reader.skip(&place, &text.text, accepted, REST);
                }
            }
        }
        Some(Entry::new(filters.into_iter().collect(), origin?))
    }
}

/// `key;value,value` or `key;value,value;match`.
fn attribute(text: &str) -> Option<FilterAttribute> {
    let mut parts = text.split(';').map(str::trim);
    let (key, values) = (parts.next()?, parts.next()?);
    let comparison = match parts.next() {
        None | Some("") => FilterMatch::Strict,
        Some(comparison) => FilterMatch::parse(comparison)?,
    };
    let values = values
        .split(',')
        .map(str::trim)
        .filter(|value| !value.is_empty());
    let attribute = FilterAttribute {
        key: key.to_owned(),
        values: values.map(str::to_owned).collect(),
        comparison,
    };
    Some(attribute).filter(|_| parts.next().is_none())
}

fn rules(
    node: &Node,
    include: bool,
    place: &Place<'_>,
    reader: &mut Reader<'_>,
) -> Vec<SpanFilter> {
    let mut rules = Vec::new();
    for (number, node) in node.list().iter().enumerate() {
        let place = place.inside(number, node);
        let rule = rule(node, include, number, &place, reader);
        match rule.filter(SpanFilter::is_usable) {
            Some(rule) if rules.len() < MOST => rules.push(rule),
            _ => reader.skip(&place, &node.to_string(), RULE, REST),
        }
    }
    rules
}

/// A rule with a part that cannot be used is left out: it would match more than
/// was meant.
fn rule(
    node: &Node,
    include: bool,
    number: usize,
    place: &Place<'_>,
    reader: &mut Reader<'_>,
) -> Option<SpanFilter> {
    let name = match node.get("name").and_then(Node::text) {
        Some(name) if name.len() <= LONGEST => name.to_owned(),
        _ => number.to_string(),
    };
    let suppression = match node.get("suppression") {
        Some(suppression) => flag(suppression.text()?)?,
        None => true,
    };
    let mut attributes = Vec::new();
    for node in node.get("attributes")?.list() {
        let values = node.get("values")?;
        let place = place.inside("values", values);
        let texts = texts(values, &place, "a text", reader);
        let comparison = match node.get("match_type") {
            Some(comparison) => FilterMatch::parse(comparison.text()?)?,
            None => FilterMatch::Strict,
        };
        let key = node.get("key")?.text()?.trim();
        let is_whole = texts.len() == values.list().len();
        if !is_whole || key.len() > LONGEST || attributes.len() == MOST {
            return None;
        }
        attributes.push(FilterAttribute {
            key: key.to_owned(),
            values: texts.into_iter().map(str::to_owned).collect(),
            comparison,
        });
    }
    Some(SpanFilter {
        name,
        include,
        suppression,
        attributes,
    })
}

fn show(filter: &SpanFilter) -> String {
    let mut text = format!(
        "{} {}:",
        if filter.include { "include" } else { "exclude" },
        filter.name
    );
    for attribute in &filter.attributes {
        let FilterAttribute {
            key,
            values,
            comparison,
        } = attribute;
        text.push_str(&format!(
            " {key} {} {}",
            comparison.name(),
            values.join("|")
        ));
    }
    if !filter.suppression {
        text.push_str(" without suppression");
    }
    text
}
