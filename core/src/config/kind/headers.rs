//! Names of HTTP headers.

use crate::config::kind::{Kind, joined, texts};
use crate::config::parse;
use crate::config::reader::{Place, Reader};
use crate::config::tree::Node;
use crate::config::{Entry, Origin};

/// Names of headers, lower case, each once.
pub(crate) struct Headers;

const HEADER: &str =
    "one of 64 header names at most (1 to 256 letters, digits and !#$%&'*+-.^_`|~)";
const REST: &str = "the other names";

impl Kind for Headers {
    type Value = Vec<String>;

    const ACCEPTED: &'static str = "a list of header names";

    fn from_text(text: &str, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Vec<String>> {
        let names = good(text.split([';', ',']), place, reader);
        Some(names).filter(|names| !names.is_empty())
    }

    /// An empty list is one: nothing is captured.
    fn from_node(node: &Node, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Vec<String>> {
        if let Some(text) = node.text() {
            return Self::from_text(text, place, reader);
        }
        if node.map().is_some() {
            return None;
        }
        let names = texts(node, place, HEADER, reader);
        Some(good(names.into_iter(), place, reader))
    }

    fn from_code(value: Vec<String>, reader: &mut Reader<'_>) -> Option<Entry<Vec<String>>> {
        let place = Place::named(reader.key);
        let names = good(value.iter().map(String::as_str), &place, reader);
        Some(Entry::new(names, Origin::Code))
    }

    fn show(value: &Vec<String>) -> String {
        joined(value)
    }

    fn is_empty(value: &Vec<String>) -> bool {
        value.is_empty()
    }
}

fn good<'a>(
    names: impl Iterator<Item = &'a str>,
    place: &Place<'_>,
    reader: &mut Reader<'_>,
) -> Vec<String> {
    let (good, bad) = parse::header_names(names);
    for name in bad {
        reader.skip(place, &name, HEADER, REST);
    }
    good
}
