//! Calls that are not recorded by what they call.

use std::collections::BTreeMap;

use super::{Kind, LONGEST, MOST, Variable, texts};
use crate::config::Entry;
use crate::config::env::Environment;
use crate::config::file;
use crate::config::reader::{Place, Reader};
use crate::config::tree::{Item, Node};

/// [`IgnoredEndpoint`]s, as `service:method,method;service:…` or as a map of
/// services.
pub(crate) struct Endpoints;

/// The variable that names a file.
const PATH: &str = "INSTANA_IGNORE_ENDPOINTS_PATH";
/// Where such a file has them.
const KEY: &str = "tracing.ignore-endpoints";

const RULE: &str = "a list of methods, or a map of methods, endpoints and connections";
const REST: &str = "the other rules";

/// Calls of one service that are not recorded (`reference`: Node): those that
/// match everything that is said here. All comparisons are without case.
///
/// ```
/// use instana::IgnoredEndpoint;
///
/// let audit = IgnoredEndpoint::of("kafka").methods(["*"]).endpoints(["audit", "heartbeat"]);
/// let builder = instana::builder().ignored_endpoints([audit]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "give it to Builder::ignored_endpoints"]
pub struct IgnoredEndpoint {
    /// Everything in lower case; what is empty was not given.
    pub(crate) service: String,
    pub(crate) methods: Vec<String>,
    pub(crate) endpoints: Vec<String>,
    pub(crate) connections: Vec<String>,
}

impl IgnoredEndpoint {
    /// Of a service: `redis`, `dynamodb`, `kafka` or `http`.
    pub fn of(service: &str) -> Self {
        Self {
            service: service.trim().to_lowercase(),
            methods: Vec::new(),
            endpoints: Vec::new(),
            connections: Vec::new(),
        }
    }

    /// With one of these methods: a command, an operation, `consume`, `GET`; `*`
    /// is each of them.
    pub fn methods<'a>(mut self, methods: impl IntoIterator<Item = &'a str>) -> Self {
        self.methods.extend(methods.into_iter().map(lower));
        self
    }

    /// To one of these topics or paths; `*` is each of them.
    pub fn endpoints<'a>(mut self, endpoints: impl IntoIterator<Item = &'a str>) -> Self {
        self.endpoints.extend(endpoints.into_iter().map(lower));
        self
    }

    /// To a host with one of these in its name; `*` is each of them.
    pub fn connections<'a>(mut self, connections: impl IntoIterator<Item = &'a str>) -> Self {
        self.connections.extend(connections.into_iter().map(lower));
        self
    }

    fn is_bare(&self) -> bool {
        self.methods.is_empty() && self.endpoints.is_empty() && self.connections.is_empty()
    }
}

impl Kind for Endpoints {
    type Value = Vec<IgnoredEndpoint>;

    const ACCEPTED: &'static str = "service:method,method;service:method or a map of services";

    fn is_usable(value: &Self::Value) -> bool {
        value.len() <= MOST && value.iter().all(|rule| !rule.is_bare())
    }

    fn from_text(text: &str, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Self::Value> {
        let mut rules = Vec::new();
        for entry in text.split(';').map(str::trim) {
            if entry.is_empty() {
                continue;
            }
            let rule = entry.split_once(':').map(|(service, methods)| {
                let methods = methods.split(',').map(str::trim);
                IgnoredEndpoint::of(service).methods(methods.filter(|method| !method.is_empty()))
            });
            match rule.filter(|rule| !rule.service.is_empty() && !rule.is_bare()) {
                Some(rule) if rules.len() < MOST => rules.push(rule),
                _ => reader.skip(place, entry, "service:method,method", REST),
            }
        }
        Some(rules).filter(|rules| !rules.is_empty())
    }

    fn from_node(node: &Node, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Self::Value> {
        if let Some(text) = node.text() {
            return Self::from_text(text, place, reader);
        }
        let services = node.map()?;
        let mut rules = Vec::new();
        for (service, node) in services {
            let place = place.inside(service, node);
            add_service(&mut rules, service, node, &place, reader);
        }
        Some(rules).filter(|rules| !rules.is_empty() || services.is_empty())
    }

    fn show(value: &Self::Value) -> String {
        let rules: Vec<String> = value.iter().map(show).collect();
        super::joined(&rules)
    }

    /// The file of the path wins over the text.
    fn from_environment(
        variables: &[Variable],
        environment: &Environment,
        reader: &mut Reader<'_>,
    ) -> Option<Entry<Self::Value>> {
        let of_file = environment.get(PATH).and_then(|path| {
            if !path.usable {
                reader.refuse(&Place::named(PATH), &path.text, "the path of a file");
                return None;
            }
            let tree = file::load(PATH, &path.text, reader.problems)?;
            let Some(node) = tree.at(KEY) else {
                let accepted = "a file with tracing.ignore-endpoints";
                reader.refuse(&Place::named(PATH), &path.text, accepted);
                return None;
            };
            let place = Place::tree(&tree, KEY, node);
            let rules = Self::from_node(node, &place, reader);
            if rules.is_none() {
                reader.refuse(&place, &node.to_string(), Self::ACCEPTED);
            }
            Some(Entry::new(rules?, place.origin()))
        });
        of_file.or_else(|| {
            let texts = variables.get(1..).unwrap_or_default();
            super::first_usable::<Self>(texts, environment, reader)
        })
    }
}

/// A list of methods and of maps; one that stands alone is a list of it.
fn add_service(
    rules: &mut Vec<IgnoredEndpoint>,
    service: &str,
    node: &Node,
    place: &Place<'_>,
    reader: &mut Reader<'_>,
) {
    let mut methods = IgnoredEndpoint::of(service);
    let mut found = Vec::new();
    for (number, entry) in node.list().iter().enumerate() {
        let place = place.inside(number, entry);
        match &entry.item {
            Item::Text(method) if method.len() <= LONGEST && methods.methods.len() < MOST => {
                methods.methods.push(lower(method));
            }
            Item::Map(map) => found.extend(rule(service, map, &place, reader)),
            _ => reader.skip(&place, &entry.to_string(), RULE, REST),
        }
    }
    if !methods.is_bare() {
        found.push(methods);
    }
    if found.is_empty() || rules.len() + found.len() > MOST {
        reader.skip(place, &node.to_string(), RULE, REST);
    } else {
        rules.append(&mut found);
    }
}

/// A rule with a part that cannot be used is left out: it would ignore more
/// than was meant.
fn rule(
    service: &str,
    map: &BTreeMap<String, Node>,
    place: &Place<'_>,
    reader: &mut Reader<'_>,
) -> Option<IgnoredEndpoint> {
    let mut rule = IgnoredEndpoint::of(service);
    for (name, node) in map {
        let place = place.inside(name, node);
        let part = match name.to_lowercase().as_str() {
            "methods" => &mut rule.methods,
            "endpoints" => &mut rule.endpoints,
            "connections" => &mut rule.connections,
            _ => {
                let accepted = "methods, endpoints or connections";
                reader.skip(&place, &node.to_string(), accepted, REST);
                return None;
            }
        };
        *part = texts(node, &place, "a text", reader)
            .into_iter()
            .map(lower)
            .collect();
        if part.len() < node.list().len() || part.is_empty() {
            reader.skip(&place, &node.to_string(), "a list of texts", REST);
            return None;
        }
    }
    Some(rule).filter(|rule| !rule.is_bare())
}

fn lower(text: &str) -> String {
    text.trim().to_lowercase()
}

fn show(rule: &IgnoredEndpoint) -> String {
    let mut text = rule.service.clone();
    for (name, part) in [
        ("methods", &rule.methods),
        ("endpoints", &rule.endpoints),
        ("connections", &rule.connections),
    ] {
        if !part.is_empty() {
            text.push_str(&format!(" {name}={}", part.join("|")));
        }
    }
    text
}
