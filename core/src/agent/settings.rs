//! What the agent wants done, from its answer to the announce
//! (`agent-protocol` 1.5). Read field by field: a wrong type costs that field
//! only, and is noted.

use std::time::Duration;

use serde_json::{Map, Value};

/// The longest poll rate that is honoured, in seconds.
const MAX_POLL_RATE: u64 = 600;
/// The most entries of a list, the longest entry in bytes, the most notes.
const MAX_ENTRIES: usize = 256;
const MAX_ENTRY: usize = 1024;
const MAX_NOTES: usize = 16;

/// The agent's settings; `None` where it said nothing usable. Local settings
/// win over these.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AgentSettings {
    /// Matcher name and terms, as sent.
    pub(crate) secrets: Option<(String, Vec<String>)>,
    /// Names of headers to capture, lower case.
    pub(crate) extra_headers: Option<Vec<String>>,
    /// Time between two metrics, 1 to 600 s.
    pub(crate) poll_rate: Option<Duration>,
    /// Whether incoming W3C headers count for parenting.
    pub(crate) w3c_correlation: Option<bool>,
    /// Whether W3C headers are sent.
    pub(crate) w3c_propagation: Option<bool>,
    /// What could not be used and why, for one line in the log.
    pub(crate) notes: Vec<String>,
}

impl AgentSettings {
    /// Reads the answer's settings. `plugin` is the name announced with.
    pub(crate) fn read(answer: &Map<String, Value>, plugin: &str) -> Self {
        let mut notes = Notes::default();
        let tracing = notes.object(answer, "tracing");
        let settings = Self {
            secrets: secrets(answer, &mut notes),
            extra_headers: extra_headers(answer, tracing, &mut notes),
            poll_rate: poll_rate(answer, plugin, &mut notes),
            w3c_correlation: w3c(tracing, "disable-w3c-correlation", &mut notes),
            w3c_propagation: w3c(tracing, "disable-w3c-propagation", &mut notes),
            notes: Vec::new(),
        };
        Self {
            notes: notes.0,
            ..settings
        }
    }
}

/// `secrets: {matcher, list}`. An empty list keeps the default (Go's rule: the
/// safer one), except with the matcher `none`.
fn secrets(answer: &Map<String, Value>, notes: &mut Notes) -> Option<(String, Vec<String>)> {
    let secrets = notes.object(answer, "secrets")?;
    let matcher = match secrets.get("matcher") {
        Some(Value::String(matcher)) if matcher.len() <= MAX_ENTRY => matcher.clone(),
        _ => {
            notes.add("secrets.matcher is not a name");
            return None;
        }
    };
    let list = notes.strings(secrets, "list", "secrets.list");
    if matcher.trim().eq_ignore_ascii_case("none") {
        return Some((matcher, list.unwrap_or_default()));
    }
    match list {
        Some(list) if !list.is_empty() => Some((matcher, list)),
        _ => {
            notes.add("secrets.list is empty");
            None
        }
    }
}

/// `tracing.extra-http-headers` wins over the older `extraHeaders` unless it is
/// empty.
fn extra_headers(
    answer: &Map<String, Value>,
    tracing: Option<&Map<String, Value>>,
    notes: &mut Notes,
) -> Option<Vec<String>> {
    let new = tracing.and_then(|tracing| {
        notes.strings(tracing, "extra-http-headers", "tracing.extra-http-headers")
    });
    let names = match new {
        Some(names) if !names.is_empty() => names,
        new => notes
            .strings(answer, "extraHeaders", "extraHeaders")
            .or(new)?,
    };
    let mut headers: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let name = name.trim().to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) {
            notes.add("an extra header has no valid name");
        } else if !headers.contains(&name) {
            headers.push(name);
        }
    }
    Some(headers)
}

/// A character of a header name (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `"plugin.<x>": {poll_rate}` (Go) or `plugin: {<x>: {poll_rate}}` (Python),
/// for our own name first, then for any other. Values below 1 s are 1 s.
fn poll_rate(answer: &Map<String, Value>, plugin: &str, notes: &mut Notes) -> Option<Duration> {
    let flat = answer.iter().filter_map(|(key, value)| {
        let name = key.strip_prefix("plugin.")?;
        Some((name, value))
    });
    let nested = answer
        .get("plugin")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value));
    let mut rates: Vec<_> = flat
        .chain(nested)
        .filter_map(|(name, value)| Some((name != plugin, value.get("poll_rate")?)))
        .collect();
    // Stable: our own name first, the rest in the order of the answer.
    rates.sort_by_key(|(foreign, _)| *foreign);
    for (_, rate) in rates {
        match seconds(rate) {
            Some(seconds) => return Some(Duration::from_secs(seconds)),
            None => notes.add("poll_rate is not a number"),
        }
    }
    None
}

/// Whole seconds between 1 and [`MAX_POLL_RATE`]; a numeric string counts.
fn seconds(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    }?;
    if number.is_nan() {
        return None;
    }
    let limit = MAX_POLL_RATE as f64;
    // Between 1 and 600 by now: the cast only cuts the fraction.
    Some(number.clamp(1.0, limit) as u64)
}

/// Some(false) where W3C is switched off by `key` or by `disable-w3c`. Only
/// booleans count (Node: strict `true`).
fn w3c(tracing: Option<&Map<String, Value>>, key: &str, notes: &mut Notes) -> Option<bool> {
    let global = notes.object(tracing?, "global")?;
    let mut disabled = None;
    for key in [key, "disable-w3c"] {
        match global.get(key) {
            Some(Value::Bool(value)) => disabled = Some(disabled.unwrap_or(false) || *value),
            None | Some(Value::Null) => {}
            Some(_) => notes.add(&format!("tracing.global.{key} is not true or false")),
        }
    }
    disabled.map(|disabled| !disabled)
}

/// What was wrong, each thing once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn add(&mut self, note: &str) {
        if self.0.len() < MAX_NOTES && !self.0.iter().any(|known| known == note) {
            self.0.push(note.to_owned());
        }
    }

    /// The object at `key`; null is the same as nothing.
    fn object<'a>(
        &mut self,
        parent: &'a Map<String, Value>,
        key: &str,
    ) -> Option<&'a Map<String, Value>> {
        match parent.get(key)? {
            Value::Object(object) => Some(object),
            Value::Null => None,
            _ => {
                self.add(&format!("{key} is not an object"));
                None
            }
        }
    }

    /// The strings of the list at `key`; what is not a string is left out.
    fn strings(
        &mut self,
        parent: &Map<String, Value>,
        key: &str,
        name: &str,
    ) -> Option<Vec<String>> {
        let list = match parent.get(key)? {
            Value::Array(list) => list,
            Value::Null => return None,
            _ => {
                self.add(&format!("{name} is not a list"));
                return None;
            }
        };
        let strings: Vec<String> = list
            .iter()
            .take(MAX_ENTRIES)
            .filter_map(|entry| entry.as_str())
            .filter(|entry| entry.len() <= MAX_ENTRY)
            .map(str::to_owned)
            .collect();
        if strings.len() < list.len() {
            self.add(&format!(
                "{name} has entries that are no names, or too many"
            ));
        }
        Some(strings)
    }
}

#[cfg(test)]
mod tests;
