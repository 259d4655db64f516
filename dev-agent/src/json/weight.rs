//! Estimates the memory of a parsed JSON value.

use serde_json::Value;

/// The bytes that an allocation takes in addition to its contents.
pub(crate) const ALLOCATION: usize = 16;
/// A value in its array; arrays grow to twice their length.
pub(super) const SLOT: usize = 2 * size_of::<Value>();
/// An object is a tree whose nodes have room for eleven members. Each node has at least
/// five, unless it is the only one.
pub(super) const NODE: usize = 11 * (size_of::<Value>() + size_of::<String>()) + 32;
pub(super) const MEMBERS: usize = 5;

/// The bytes that a value takes in memory, at most.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => size_of::<Value>() + ALLOCATION + text.len(),
        Value::Array(items) if items.is_empty() => size_of::<Value>(),
        Value::Array(items) => {
            let inner: usize = items.iter().map(|item| SLOT + below(item)).sum();
            size_of::<Value>() + ALLOCATION + inner
        }
        Value::Object(members) if members.is_empty() => size_of::<Value>(),
        Value::Object(members) => {
            let each = members.iter();
            let inner: usize = each
                .map(|(key, value)| ALLOCATION + key.len() + below(value))
                .sum();
            size_of::<Value>() + (members.len() / MEMBERS + 1) * (NODE + ALLOCATION) + inner
        }
        _ => size_of::<Value>(),
    }
}

/// A value without its own slot.
fn below(value: &Value) -> usize {
    weight(value) - size_of::<Value>()
}
