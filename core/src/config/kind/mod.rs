//! Kinds of values: what is accepted in each source, and how a value is shown.

use crate::config::env::Environment;
use crate::config::key::{Path, Variable};
use crate::config::reader::{Place, Reader};
use crate::config::tree::{Node, Tree};
use crate::config::{Entry, Origin};

mod disable;
mod endpoints;
mod filter;
mod headers;
mod kafka;
mod level;
mod number;
mod poll_rate;
mod secrets;
mod stack_trace;
mod statuses;
mod switch;
mod text;

pub(crate) use self::disable::Disabling;
pub(crate) use self::endpoints::Endpoints;
pub(crate) use self::filter::Filters;
pub(crate) use self::headers::Headers;
pub(crate) use self::kafka::KafkaFormat;
pub(crate) use self::level::{Capture, LogLevel};
pub(crate) use self::number::{Bytes, Frames, Millis, Pause, Port, Spans};
pub(crate) use self::poll_rate::PollRate;
pub(crate) use self::secrets::Secrets;
pub(crate) use self::stack_trace::{Mode, Technologies};
pub(crate) use self::statuses::Statuses;
pub(crate) use self::switch::{Inverse, Presence, Switch};
pub(crate) use self::text::{FilePath, Host, Name, Plugin, address};

pub use self::endpoints::IgnoredEndpoint;
pub(crate) use self::endpoints::Places;
pub use self::filter::{FilterMatch, SpanFilter};
pub use self::kafka::KafkaHeaderFormat;
pub use self::level::CapturedLogs;
pub use self::stack_trace::StackTraces;

pub(crate) use self::disable::Disabled;
pub(crate) use self::filter::{FilterAttribute, SpanFilters};
pub(crate) use self::stack_trace::TechnologyStackTraces;

/// A kind of values.
pub(crate) trait Kind: Sized {
    /// The value in force.
    type Value: Clone;

    /// What a good value is, for messages.
    const ACCEPTED: &'static str;

    /// Whether a variable may hold any text: its bytes do not matter then.
    const ANY_TEXT: bool = false;

    /// Whether a value that code made can be used.
    fn is_usable(_value: &Self::Value) -> bool {
        true
    }

    /// Reads the form of a variable. What is wrong with a part of it is reported to
    /// `reader`; `None`: all of it is wrong.
    fn from_text(text: &str, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Self::Value>;

    /// Reads the form of a file and of the agent's answer: a text is read as a
    /// variable is, unless the kind knows better.
    fn from_node(node: &Node, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Self::Value> {
        Self::from_text(node.text()?, place, reader)
    }

    /// The value, for people.
    fn show(value: &Self::Value) -> String;

    /// Whether a value at an older path overrides this one.
    fn is_empty(_value: &Self::Value) -> bool {
        false
    }

    /// The value that the environment says: the first variable that can be used.
    fn from_environment(
        variables: &[Variable],
        environment: &Environment,
        reader: &mut Reader<'_>,
    ) -> Option<Entry<Self::Value>> {
        first_usable::<Self>(variables, environment, reader)
    }

    /// The value that a file or the agent says: at the first path that can be
    /// used.
    fn from_tree(
        paths: &[Path],
        tree: &Tree,
        reader: &mut Reader<'_>,
    ) -> Option<Entry<Self::Value>> {
        let mut found = None;
        for path in paths.iter().filter(|path| path.is_for(tree)) {
            let Some(node) = tree.at(path.name) else {
                continue;
            };
            let place = Place::tree(tree, path.name, node);
            let text = node.text().unwrap_or_default();
            if text.len() > LONGEST_TEXT {
                reader.refuse(&place, text, "a text of at most 16384 bytes");
                continue;
            }
            match Self::from_node(node, &place, reader) {
                Some(value) if Self::is_empty(&value) => {
                    found.get_or_insert(Entry::new(value, place.origin()));
                }
                Some(value) => return Some(Entry::new(value, place.origin())),
                None => reader.refuse(&place, &node.to_string(), Self::ACCEPTED),
            }
        }
        found
    }

    /// The value that code says, as text.
    fn from_code_text(text: &str, reader: &mut Reader<'_>) -> Option<Entry<Self::Value>> {
        let place = Place::named(reader.key);
        let value = Self::from_text(text, &place, reader);
        if value.is_none() {
            reader.refuse(&place, text, Self::ACCEPTED);
        }
        Some(Entry::new(value?, Origin::Code))
    }

    /// The value that code made.
    fn from_code(value: Self::Value, reader: &mut Reader<'_>) -> Option<Entry<Self::Value>> {
        if Self::is_usable(&value) {
            return Some(Entry::new(value, Origin::Code));
        }
        let place = Place::named(reader.key);
        reader.refuse(&place, &Self::show(&value), Self::ACCEPTED);
        None
    }
}

/// The value of the first variable that can be used.
fn first_usable<K: Kind>(
    variables: &[Variable],
    environment: &Environment,
    reader: &mut Reader<'_>,
) -> Option<Entry<K::Value>> {
    variables.iter().find_map(|variable| {
        let place = Place::named(variable.name);
        let text = environment.get(variable.name)?;
        if text.usable || K::ANY_TEXT {
            if let Some(value) = K::from_text(&text.text, &place, reader) {
                return Some(Entry::new(value, place.origin()));
            }
        }
        reader.refuse(&place, &text.text, K::ACCEPTED);
        None
    })
}

/// Bytes of a text in a file or in the agent's answer.
const LONGEST_TEXT: usize = 16 * 1024;

/// The most entries of a list, and the longest in bytes.
const MOST: usize = 256;
const LONGEST: usize = 1024;

/// The texts of a list, trimmed; what is no text is skipped. At most 256.
fn texts<'a>(
    node: &'a Node,
    place: &Place<'_>,
    accepted: &str,
    reader: &mut Reader<'_>,
) -> Vec<&'a str> {
    let mut texts = Vec::new();
    for (number, node) in node.list().iter().enumerate() {
        let text = node.text().map(str::trim);
        match text.filter(|text| !text.is_empty() && text.len() <= LONGEST) {
            Some(text) if texts.len() < MOST => texts.push(text),
            _ => {
                let place = place.inside(number, node);
                reader.skip(&place, &node.to_string(), accepted, "the other entries");
            }
        }
    }
    texts
}

/// Names for messages and the status, as a list in a file.
fn joined<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}
