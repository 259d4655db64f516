//! Statuses of HTTP.

use crate::config::kind::{Kind, joined, texts};
use crate::config::reader::{Place, Reader};
use crate::config::tree::Node;

/// Statuses from 400 to 499, in their order.
pub(crate) struct Statuses;

const STATUS: &str = "a status (400 to 499)";

impl Kind for Statuses {
    type Value = Vec<u16>;

    const ACCEPTED: &'static str = "a list of statuses (400 to 499)";

    fn is_usable(value: &Vec<u16>) -> bool {
        value.iter().all(|status| (400..500).contains(status))
    }

    fn from_text(text: &str, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Vec<u16>> {
        let entries = text.split([',', ';']).map(str::trim);
        statuses(entries.filter(|entry| !entry.is_empty()), place, reader)
    }

    fn from_node(node: &Node, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Vec<u16>> {
        if let Some(text) = node.text() {
            return Self::from_text(text, place, reader);
        }
        if node.map().is_some() {
            return None;
        }
        if node.list().is_empty() {
            return Some(Vec::new());
        }
        let entries = texts(node, place, STATUS, reader);
        statuses(entries.into_iter(), place, reader)
    }

    fn show(value: &Vec<u16>) -> String {
        let texts: Vec<String> = value.iter().map(u16::to_string).collect();
        joined(&texts)
    }
}

/// `None` where no entry is one.
fn statuses<'a>(
    entries: impl Iterator<Item = &'a str>,
    place: &Place<'_>,
    reader: &mut Reader<'_>,
) -> Option<Vec<u16>> {
    let mut statuses = Vec::new();
    for entry in entries {
        match entry
            .parse()
            .ok()
            .filter(|status| (400..500).contains(status))
        {
            Some(status) => statuses.push(status),
            None => reader.skip(place, entry, STATUS, "the other statuses"),
        }
    }
    statuses.sort_unstable();
    statuses.dedup();
    Some(statuses).filter(|statuses| !statuses.is_empty())
}
