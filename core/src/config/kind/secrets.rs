//! Which keys hold secrets.

use crate::config::kind::{Kind, texts};
use crate::config::reader::{Place, Reader};
use crate::config::tree::Node;
use crate::secrets::Matcher;

/// A matcher, as `mode:term,term` or as a map of `matcher` and `list`.
pub(crate) struct Secrets;

impl Kind for Secrets {
    type Value = Matcher;

    const ACCEPTED: &'static str = "mode:term,term with the mode equals, equals-ignore-case, \
                                    contains, contains-ignore-case, regex or none";

    fn from_text(text: &str, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Matcher> {
        let mut skipped = Vec::new();
        let matcher = Matcher::parse(text, &mut skipped).ok();
        for term in skipped {
            reader.skip(place, &term.term, term.accepted, "the other terms");
        }
        matcher
    }

    /// An empty list of terms is a mistake, but for the mode `none`
    /// (as in Go; it hides more rather than less).
    fn from_node(node: &Node, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Matcher> {
        if let Some(text) = node.text() {
            return Self::from_text(text, place, reader);
        }
        let mode = node.get("matcher")?.text()?;
        let nothing = Node::default();
        let list = node.get("list").unwrap_or(&nothing);
        let terms = texts(list, &place.inside("list", list), "a term", reader);
        let mut skipped = Vec::new();
        let matcher = Matcher::from_parts(mode, &terms, &mut skipped).ok();
        for term in skipped {
            reader.skip(place, &term.term, term.accepted, "the other terms");
        }
        matcher
    }

    fn show(value: &Matcher) -> String {
        value.to_string()
    }
}
