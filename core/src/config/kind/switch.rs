//! Yes or no.

use crate::config::kind::Kind;
use crate::config::reader::{Place, Reader};
use crate::config::tree::Node;

/// `true`, `1`, `false` or `0`.
pub(crate) struct Switch;

/// The same, of a variable that says what is not to be done.
pub(crate) struct Inverse;

/// Of variables that say what is not to be done by being there, with any text,
/// be it `false` (docs/PROTOCOL.md, "HTTP": the compliance cases).
pub(crate) struct Presence;

impl Kind for Switch {
    type Value = bool;

    const ACCEPTED: &'static str = "a flag (true, 1, false or 0)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<bool> {
        flag(text)
    }

    fn show(value: &bool) -> String {
        value.to_string()
    }
}

impl Kind for Inverse {
    type Value = bool;

    const ACCEPTED: &'static str = Switch::ACCEPTED;

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<bool> {
        flag(text).map(|off| !off)
    }

    fn show(value: &bool) -> String {
        value.to_string()
    }
}

impl Kind for Presence {
    type Value = bool;

    const ACCEPTED: &'static str = Switch::ACCEPTED;

    const ANY_TEXT: bool = true;

    fn from_text(_: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<bool> {
        Some(false)
    }

    fn from_node(node: &Node, _: &Place<'_>, _: &mut Reader<'_>) -> Option<bool> {
        flag(node.text()?).map(|off| !off)
    }

    fn show(value: &bool) -> String {
        value.to_string()
    }
}

pub(crate) fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
