//! Parses JSON text within a bound of memory and finds duplicate keys.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Unread;
use super::weight::{ALLOCATION, MEMBERS, NODE, SLOT};

/// Longer JSON pointers are cut.
const POINTER: usize = 240;
/// More duplicate keys of one text are not named.
const DUPLICATES: usize = 100;

/// A text as a tree, and the JSON pointers of keys that came twice in an object.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) value: Value,
    pub(crate) duplicates: Vec<String>,
}

/// Reads a text whose pointers begin with `at`, and whose tree takes at most
/// `limit` bytes. It notices duplicate keys, which `serde_json::Value` hides.
///
/// # Errors
/// The text is no JSON, or its tree takes more memory.
pub(crate) fn read(text: &[u8], at: &str, limit: usize) -> Result<Tree, Unread> {
    let mut reading = Reading {
        at,
        left: limit,
        exhausted: false,
        duplicates: Vec::new(),
    };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let seed = Node {
        path: None,
        reading: &mut reading,
    };
    let read = seed
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match read {
        Ok(value) => Ok(Tree {
            value,
            duplicates: reading.duplicates,
        }),
        Err(_) if reading.exhausted => Err(Unread::TooLarge),
        Err(error) => Err(Unread::Broken(error.to_string())),
    }
}

/// Appends a key to a JSON pointer (RFC 6901). A pointer that is too long ends in `…`, so
/// that pointers into deep texts take linear time.
pub(crate) fn pointer(base: &str, key: &str) -> String {
    let mut out = String::with_capacity(base.len() + 1 + key.len().min(POINTER));
    out.push_str(base);
    if base.ends_with('…') {
        return out;
    }
    out.push('/');
    for c in key.chars() {
        if out.len() >= POINTER {
            out.push('…');
            break;
        }
        match c {
            '~' => out.push_str("~0"),
            '/' => out.push_str("~1"),
            other => out.push(other),
        }
    }
    out
}

struct Reading<'a> {
    at: &'a str,
    left: usize,
    exhausted: bool,
    duplicates: Vec<String>,
}

impl Reading<'_> {
    fn take<E: de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.exhausted = true;
                Err(E::custom("too large"))
            }
        }
    }

    fn duplicate(&mut self, path: &Path<'_>) {
        if self.duplicates.len() < DUPLICATES {
            let at = path.pointer(self.at);
            self.duplicates.push(at);
        }
    }
}

/// The path to a value, which becomes a text only when it is shown.
#[derive(Clone, Copy)]
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    part: Part<'p>,
}

#[derive(Clone, Copy)]
enum Part<'p> {
    Index(usize),
    Key(&'p str),
}

impl Path<'_> {
    fn pointer(&self, at: &str) -> String {
        let base = match self.parent {
            Some(parent) => parent.pointer(at),
            None => at.to_owned(),
        };
        match self.part {
            Part::Index(index) => pointer(&base, &index.to_string()),
            Part::Key(key) => pointer(&base, key),
        }
    }
}

struct Node<'p, 'r, 'a> {
    path: Option<&'p Path<'p>>,
    reading: &'r mut Reading<'a>,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.reading.take(ALLOCATION + value.len())?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.reading.take(ALLOCATION)?;
        let mut items = Vec::new();
        loop {
            let path = Path {
                parent: self.path,
                part: Part::Index(items.len()),
            };
            let node = Node {
                path: Some(&path),
                reading: &mut *self.reading,
            };
            match access.next_element_seed(node)? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
            self.reading.take(SLOT)?;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let node = if members.len() % MEMBERS == 0 {
                NODE
            } else {
                0
            };
            self.reading.take(ALLOCATION + key.len() + node)?;
            let path = Path {
                parent: self.path,
                part: Part::Key(&key),
            };
            if members.contains_key(&key) {
                self.reading.duplicate(&path);
            }
            let node = Node {
                path: Some(&path),
                reading: &mut *self.reading,
            };
            let value = access.next_value_seed(node)?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::weight;

    fn tree(text: &str) -> Tree {
        read(text.as_bytes(), "", 1 << 20).unwrap()
    }

    #[test]
    fn reads_as_serde_json() {
        let parsed = tree(r#"{"a":[1,-2,3.5,null,true,"x\n"],"b":{"c":18446744073709551615}}"#);
        assert_eq!(
            parsed.value,
            json!({"a":[1,-2,3.5,null,true,"x\n"],"b":{"c":18446744073709551615_u64}})
        );
        assert!(parsed.duplicates.is_empty());
    }

    #[test]
    fn names_each_duplicate() {
        let read = read(br#"{"a":1,"a":2,"b":[{"x/y":1,"x/y":1}]}"#, "/7", 1 << 20);
        assert_eq!(read.unwrap().duplicates, ["/7/a", "/7/b/0/x~1y"]);
        let many = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(1000));
        assert_eq!(tree(&many).duplicates.len(), DUPLICATES);
    }

    #[test]
    fn refuses_what_is_no_json() {
        for text in ["", "{", "[] []", "{'a':1}", "nul", "1e999", "\"\\ud800\""] {
            let read = read(text.as_bytes(), "", 1 << 20);
            assert!(matches!(read, Err(Unread::Broken(_))), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes(), "", 1 << 20).is_err());
    }

    #[test]
    fn refuses_what_takes_too_much() {
        for text in [
            format!("[{}0]", "0,".repeat(20_000)),
            format!("[{}{{}}]", "{\"\":0},".repeat(2000)),
            format!("\"{}\"", "x".repeat(1_100_000)),
            format!(
                "{{{}\"\":0}}",
                (0..20_000)
                    .map(|n| format!("\"{n}\":0,"))
                    .collect::<String>()
            ),
        ] {
            let refused = read(text.as_bytes(), "", 1 << 20);
            assert!(matches!(refused, Err(Unread::TooLarge)), "{}", text.len());
            let whole = read(text.as_bytes(), "", 1 << 26).unwrap();
            assert!(weight(&whole.value) > 1 << 20);
        }
    }

    #[test]
    fn pointers_are_escaped_and_cut() {
        assert_eq!(pointer("/a", "b/c~d"), "/a/b~1c~0d");
        let long = pointer("", &"x".repeat(1000));
        assert!(long.len() < POINTER + 4 && long.ends_with('…'), "{long}");
        assert_eq!(pointer(&long, "y"), long);
    }
}
