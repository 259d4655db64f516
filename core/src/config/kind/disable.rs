//! Which spans are not recorded.

use std::collections::BTreeMap;

use crate::config::env::Environment;
use crate::config::kind::switch::flag;
use crate::config::kind::{Kind, LONGEST, MOST, Variable, joined};
use crate::config::reader::{Place, Reader};
use crate::config::tree::{Item, Node};
use crate::config::{Entry, Origin};

/// [`Disabled`], as a list of names or as yes or no.
pub(crate) struct Disabling;

/// Categories (`logging`, `databases`, `messaging`, `protocols`) and types of
/// spans (`redis`) that are not recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Disabled {
    /// Everything is, but for the exceptions.
    pub(crate) all: bool,
    /// By name, in lower case: true is disabled, false an exception. A type
    /// wins over its category.
    pub(crate) names: BTreeMap<String, bool>,
}

const NAME: &str = "the name of a category or a type (`!` in front keeps it)";
const REST: &str = "the other names";

impl Kind for Disabling {
    type Value = Disabled;

    const ACCEPTED: &'static str = "a list of names, true or false";

    fn from_text(text: &str, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Disabled> {
        let mut disabled = Disabled::default();
        disabled.add_text(text, place, reader).then_some(disabled)
    }

    fn from_node(node: &Node, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Disabled> {
        let mut disabled = Disabled::default();
        let used = match node.text() {
            Some(text) => disabled.add_text(text, place, reader),
            None => disabled.add_node(node, place, reader) || node.list().is_empty(),
        };
        used.then_some(disabled)
    }

    fn show(value: &Disabled) -> String {
        let mut words: Vec<String> = Vec::new();
        if value.all {
            words.push("all".to_owned());
        }
        words.extend(value.names.iter().map(|(name, off)| match off {
            true => name.clone(),
            false => format!("!{name}"),
        }));
        joined(&words)
    }

    /// The variables add up (as in Node.js).
    fn from_environment(
        variables: &[Variable],
        environment: &Environment,
        reader: &mut Reader<'_>,
    ) -> Option<Entry<Disabled>> {
        let mut disabled = Disabled::default();
        let mut origin: Option<Origin> = None;
        for variable in variables {
            let Some(text) = environment.get(variable.name) else {
                continue;
            };
            let place = Place::named(variable.name);
            if text.usable && disabled.add_text(&text.text, &place, reader) {
                origin.get_or_insert_with(|| place.origin());
            } else {
                reader.refuse(&place, &text.text, Self::ACCEPTED);
            }
        }
        Some(Entry::new(disabled, origin?))
    }
}

impl Disabled {
    /// True where some spans are not recorded.
    pub(crate) fn is_any(&self) -> bool {
        self.all || self.names.values().any(|off| *off)
    }

    /// True where no span is.
    pub(crate) fn is_everything(&self) -> bool {
        self.all && self.names.values().all(|off| *off)
    }

    /// False where nothing in it can be used.
    fn add_text(&mut self, text: &str, place: &Place<'_>, reader: &mut Reader<'_>) -> bool {
        if let Some(all) = flag(text) {
            self.all = all;
            return true;
        }
        let mut used = false;
        for name in text
            .split([',', ';'])
            .filter(|name| !name.trim().is_empty())
        {
            used |= self.add(name, true, place, reader);
        }
        used
    }

    /// Names, maps of names to yes or no, lists of both; maps of lists, as Node
    /// has them in code.
    fn add_node(&mut self, node: &Node, place: &Place<'_>, reader: &mut Reader<'_>) -> bool {
        let mut used = false;
        match &node.item {
            Item::Null => {}
            Item::Text(text) => used = self.add(text, true, place, reader),
            Item::List(list) => {
                for (number, node) in list.iter().enumerate() {
                    used |= self.add_node(node, &place.inside(number, node), reader);
                }
            }
            Item::Map(map) => {
                for (name, node) in map {
                    let place = place.inside(name, node);
                    used |= match (name.as_str(), node.text().and_then(flag)) {
                        ("instrumentations" | "groups", None) => {
                            self.add_node(node, &place, reader)
                        }
                        (_, Some(off)) => self.add(name, off, &place, reader),
                        (_, None) => {
                            reader.skip(&place, &node.to_string(), "true or false", REST);
                            false
                        }
                    };
                }
            }
        }
        used
    }

    fn add(&mut self, name: &str, off: bool, place: &Place<'_>, reader: &mut Reader<'_>) -> bool {
        let name = name.trim();
        let (bare, off) = match name.strip_prefix('!') {
            Some(bare) => (bare.trim_start(), !off),
            None => (name, off),
        };
        let fits = !bare.is_empty() && bare.len() <= LONGEST && self.names.len() < MOST;
        if fits {
            self.names.insert(bare.to_ascii_lowercase(), off);
        } else {
            reader.skip(place, name, NAME, REST);
        }
        fits
    }
}
