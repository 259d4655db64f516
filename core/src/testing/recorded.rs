//! A finished span, read back.

use serde_json::Value;

use crate::record::Kind;

/// A finished span, as the agent would get it (without `f`, which is known only
/// when spans are sent).
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedSpan {
    value: Value,
    /// Ticks.
    pub(super) start: u64,
}

impl RecordedSpan {
    pub(super) fn new(value: Value, start: u64) -> Self {
        Self { value, start }
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// `t`
    pub fn trace(&self) -> String {
        self.text("t").unwrap_or_default()
    }

    /// `s`
    pub fn id(&self) -> String {
        self.text("s").unwrap_or_default()
    }

    /// `p`; empty for a root.
    pub fn parent(&self) -> String {
        self.text("p").unwrap_or_default()
    }

    /// `n`
    pub fn name(&self) -> String {
        self.text("n").unwrap_or_default()
    }

    /// `k`
    pub fn kind(&self) -> Kind {
        match self.get("k").and_then(Value::as_u64) {
            Some(1) => Kind::Entry,
            Some(2) => Kind::Exit,
            _ => Kind::Intermediate,
        }
    }

    /// What it is called in a [`Tree`](crate::testing::Tree): the name of an SDK span,
    /// `n` of others.
    pub fn label(&self) -> String {
        let name = self.text("data.sdk.name");
        name.unwrap_or_else(|| self.name())
    }

    /// The text of its error, wherever its family has it.
    pub fn error_text(&self) -> Option<String> {
        let data = self.get("data")?.as_object()?;
        let own = data
            .values()
            .find_map(|section| section.get("error").or_else(|| section.get("errors")));
        let tags = self.get("data.sdk.custom.tags");
        let tag = |name| tags.and_then(|tags| tags.get(name));
        let error = own.or_else(|| tag("error")).or_else(|| tag("db.error"));
        Some(error?.as_str()?.to_owned())
    }

    /// `ec`
    pub fn errors(&self) -> u64 {
        self.get("ec").and_then(Value::as_u64).unwrap_or_default()
    }

    /// `d`, in milliseconds.
    pub fn duration(&self) -> u64 {
        self.get("d").and_then(Value::as_u64).unwrap_or_default()
    }

    /// The string at a path such as `data.http.method`; `None` where there is
    /// none, or something else.
    pub fn text(&self, path: &str) -> Option<String> {
        self.get(path)?.as_str().map(str::to_owned)
    }

    /// The integer at a path.
    pub fn integer(&self, path: &str) -> Option<i64> {
        self.get(path)?.as_i64()
    }

    /// The number at a path.
    pub fn float(&self, path: &str) -> Option<f64> {
        self.get(path)?.as_f64()
    }

    /// The boolean at a path.
    pub fn boolean(&self, path: &str) -> Option<bool> {
        self.get(path)?.as_bool()
    }

    /// The value of a tag as JSON: a string has its quotes. Tags stand in
    /// `data.sdk.custom.tags`, where their names may have dots in them.
    ///
    /// ```
    /// let recorder = instana::testing::Recorder::new();
    /// recorder.enter_entry(|| {
    ///     let mut exit = instana::exit_span("store");
    ///     exit.tag("db.rows", 3);
    ///     exit.tag("table", "item");
    /// });
    /// let exit = recorder.labelled("store");
    /// assert_eq!(exit.tag("db.rows").as_deref(), Some("3"));
    /// assert_eq!(exit.tag("table").as_deref(), Some("\"item\""));
    /// assert_eq!(exit.tag("rows"), None);
    /// ```
    pub fn tag(&self, name: &str) -> Option<String> {
        let tags = self.get("data.sdk.custom.tags")?;
        tags.get(name).map(Value::to_string)
    }

    /// Whether there is anything at a path.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// The whole span.
    pub fn json(&self) -> String {
        self.value.to_string()
    }

    fn get(&self, path: &str) -> Option<&Value> {
        find(&self.value, path)
    }
}

/// What is at a path. Keys may have dots in them, as `http.method` in
/// `data.sdk.custom.tags.http.method`: of several ways, that with the shortest key
/// comes first.
fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let dots = path.match_indices('.').map(|(at, _)| at);
    let found = dots.into_iter().find_map(|dot| {
        let (key, rest) = (path.get(..dot)?, path.get(dot + 1..)?);
        find(member(value, key)?, rest)
    });
    found.or_else(|| member(value, path))
}

fn member<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_find_keys_with_dots() {
        let value = json!({
            "data": {
                "sdk": {"custom": {"tags": {
                    "http.method": "GET", "http": {"status": 200, "a.b": "nested"},
                    "a.b.c": 1, "a": {"b": "two", "b.d": 4}, "": "empty", ".": "dot", "x.": "end",
                    "list.of": [{"k.l": "m"}, "second"],
                }}},
                "http": {"header": {"x-a.b": "v"}},
            },
        });
        let tags = "data.sdk.custom.tags.";
        for (path, expected) in [
            ("http.method", json!("GET")),
            ("http.status", json!(200)),
            ("http.a.b", json!("nested")),
            ("a.b.c", json!(1)),
            ("a.b", json!("two")),
            ("a.b.d", json!(4)),
            ("", json!("empty")),
            (".", json!("dot")),
            ("x.", json!("end")),
            ("list.of.0.k.l", json!("m")),
            ("list.of.1", json!("second")),
        ] {
            let path = format!("{tags}{path}");
            assert_eq!(find(&value, &path), Some(&expected), "{path}");
        }
        assert_eq!(find(&value, "data.http.header.x-a.b"), Some(&json!("v")));
        for path in [
            "a.b.x",
            "http.method.x",
            "list.of.2",
            "list.of.x",
            "..",
            "x",
        ] {
            assert_eq!(find(&value, &format!("{tags}{path}")), None, "{path}");
        }
        assert_eq!(find(&value, ""), None);
    }
}
