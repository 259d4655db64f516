//! Calls that are not recorded by what they call.

use std::collections::BTreeMap;

use crate::config::Entry;
use crate::config::env::Environment;
use crate::config::file;
use crate::config::kind::{Kind, LONGEST, MOST, Variable, texts};
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
const TEXT: &str = "service:method,method with the service redis, dynamodb, kafka or http";
const SERVICE: &str = "redis, dynamodb, kafka or http";
const REST: &str = "the other rules";

/// Where the spans of a service have what a rule may give: paths in their `data`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) method: &'static str,
    pub(crate) endpoint: Option<&'static str>,
    pub(crate) connection: Option<&'static str>,
}

impl Places {
    fn of(service: &str) -> Option<Self> {
        let (method, endpoint, connection) = match service {
            "redis" => ("redis.command", None, Some("redis.connection")),
            "dynamodb" => ("dynamodb.op", None, Some("dynamodb.region")),
            "kafka" => ("kafka.access", Some("kafka.service"), None),
            "http" => ("http.method", Some("http.path"), Some("http.host")),
            _ => return None,
        };
        Some(Self {
            method,
            endpoint,
            connection,
        })
    }
}

/// Calls of one service that are not recorded: those that match everything that
/// is said here, as in Instana's Node.js tracer. All comparisons are without case.
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

    /// To one of these topics (`kafka`) or paths (`http`); `*` is each of them.
    pub fn endpoints<'a>(mut self, endpoints: impl IntoIterator<Item = &'a str>) -> Self {
        self.endpoints.extend(endpoints.into_iter().map(lower));
        self
    }

    /// To a host with one of these in its name, or in a region (`dynamodb`); `*` is
    /// each of them. Kafka's spans name no host.
    pub fn connections<'a>(mut self, connections: impl IntoIterator<Item = &'a str>) -> Self {
        self.connections.extend(connections.into_iter().map(lower));
        self
    }

    /// None for a service that cannot be ignored.
    pub(crate) fn places(&self) -> Option<Places> {
        Places::of(&self.service)
    }

    /// Whether something is given, and the service's spans have all that is.
    fn is_usable(&self) -> bool {
        let Some(places) = self.places() else {
            return false;
        };
        let all = [&self.methods, &self.endpoints, &self.connections];
        all.iter().any(|given| !given.is_empty())
            && (self.endpoints.is_empty() || places.endpoint.is_some())
            && (self.connections.is_empty() || places.connection.is_some())
    }
}

impl Kind for Endpoints {
    type Value = Vec<IgnoredEndpoint>;

    const ACCEPTED: &'static str = "service:method,method;service:method or a map of services, \
                                    which are redis, dynamodb, kafka and http";

    fn is_usable(value: &Self::Value) -> bool {
        value.len() <= MOST && value.iter().all(IgnoredEndpoint::is_usable)
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
            match rule.filter(IgnoredEndpoint::is_usable) {
                Some(rule) if rules.len() < MOST => rules.push(rule),
                _ => reader.skip(place, entry, TEXT, REST),
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
        crate::config::kind::joined(&rules)
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
            crate::config::kind::first_usable::<Self>(texts, environment, reader)
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
    if methods.places().is_none() {
        reader.skip(place, service, SERVICE, REST);
        return;
    }
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
    if methods.is_usable() {
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
        let places = rule.places()?;
        let part = match name.to_lowercase().as_str() {
            "methods" => &mut rule.methods,
            "endpoints" if places.endpoint.is_some() => &mut rule.endpoints,
            "connections" if places.connection.is_some() => &mut rule.connections,
            _ => {
                reader.skip(&place, &node.to_string(), accepted(places), REST);
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
    Some(rule).filter(IgnoredEndpoint::is_usable)
}

/// What a rule of a service may give.
fn accepted(places: Places) -> &'static str {
    match (places.endpoint, places.connection) {
        (Some(_), Some(_)) => "methods, endpoints or connections",
        (Some(_), None) => "methods or endpoints",
        (None, _) => "methods or connections",
    }
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
