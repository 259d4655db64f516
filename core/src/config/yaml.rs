//! YAML, as far as a configuration needs it: one document of maps, lists and
//! texts. Bounded in values and depth, aliases included, and without recursion.

use std::collections::BTreeMap;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::config::tree::{DEEPEST, Item, MOST, Node};

/// Why a text is no configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    /// From 1 on.
    pub(crate) line: u32,
    /// What is wrong there.
    pub(crate) text: String,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// Reads the one document of `text`. An empty text is an empty map.
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => builder.take(event, line(span))?,
            Err(error) => {
                return Err(YamlError {
                    line: number(error.marker().line()),
                    text: error.info().to_owned(),
                });
            }
        }
    }
    Ok(builder.root.unwrap_or_default())
}

/// Puts events together.
#[derive(Default)]
struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    /// What an alias stands for, and how many values that are.
    anchors: BTreeMap<usize, (Node, usize)>,
    values: usize,
}

/// A list or a map that is being read.
struct Open {
    node: Node,
    anchor: usize,
    /// The name whose value comes next.
    name: Option<String>,
    /// The number of values before it.
    before: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), YamlError> {
        match event {
            Event::Alias(anchor) => {
                let values = self.anchors.get(&anchor).map(|(_, values)| *values);
                // Counted before it is copied.
                self.count(values.unwrap_or_default(), line)?;
                match self.anchors.get(&anchor).cloned() {
                    Some((node, _)) => self.put(node, line),
                    None => error(line, "the alias names a value that has not ended"),
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let before = self.values;
                // Long ones count for more: an alias copies them.
                self.count(1 + text.len() / 64, line)?;
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let item = match &*text {
                    "" | "~" | "null" | "Null" | "NULL" if plain => Item::Null,
                    text => Item::Text(text.to_owned()),
                };
                self.finish(Node { line, item }, anchor, before, line)
            }
            Event::SequenceStart(anchor, _) => self.open(Item::List(Vec::new()), anchor, line),
            Event::MappingStart(anchor, _) => self.open(Item::Map(BTreeMap::new()), anchor, line),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.finish(open.node, open.anchor, open.before, line),
                None => Ok(()),
            },
            Event::DocumentStart(_) if self.root.is_some() => error(
                line,
                "a second document: the first one is the configuration",
            ),
            Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd => Ok(()),
        }
    }

    fn open(&mut self, item: Item, anchor: usize, line: u32) -> Result<(), YamlError> {
        if self.open.len() == DEEPEST {
            return error(line, &format!("nested deeper than {DEEPEST} levels"));
        }
        let before = self.values;
        self.count(1, line)?;
        self.open.push(Open {
            node: Node { line, item },
            anchor,
            name: None,
            before,
        });
        Ok(())
    }

    /// A value is complete.
    fn finish(
        &mut self,
        node: Node,
        anchor: usize,
        before: usize,
        line: u32,
    ) -> Result<(), YamlError> {
        if anchor > 0 {
            let values = self.values - before;
            // It is kept a second time.
            self.count(values, line)?;
            self.anchors.insert(anchor, (node.clone(), values));
        }
        self.put(node, line)
    }

    fn put(&mut self, node: Node, line: u32) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node.item, open.name.take()) {
            (Item::List(list), _) => list.push(node),
            (Item::Map(_), None) => match node.item {
                Item::Text(name) => open.name = Some(name),
                Item::Null => open.name = Some("null".to_owned()),
                Item::List(_) | Item::Map(_) => return error(line, "a key is not a text"),
            },
            (Item::Map(map), Some(name)) => {
                if map.contains_key(&name) {
                    return error(line, &format!("the key {name:.64} is there twice"));
                }
                map.insert(name, node);
            }
            (Item::Null | Item::Text(_), Some(_) | None) => {}
        }
        Ok(())
    }

    fn count(&mut self, values: usize, line: u32) -> Result<(), YamlError> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST {
            return error(line, &format!("more than {MOST} values"));
        }
        Ok(())
    }
}

fn line(span: Span) -> u32 {
    number(span.start.line())
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX).max(1)
}

fn error(line: u32, text: &str) -> Result<(), YamlError> {
    Err(YamlError {
        line,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    /// The form of the tree in one line, with the lines of texts.
    fn form(node: &Node) -> String {
        match &node.item {
            Item::List(list) => {
                format!("[{}]", list.iter().map(form).collect::<Vec<_>>().join(" "))
            }
            Item::Map(map) => {
                let entry = |(name, node): (&String, &Node)| format!("{name}:{}", form(node));
                format!(
                    "{{{}}}",
                    map.iter().map(entry).collect::<Vec<_>>().join(" ")
                )
            }
            Item::Null => "null".to_owned(),
            Item::Text(text) => format!("{text}@{}", node.line),
        }
    }

    #[test]
    fn documents_and_their_lines() {
        for (text, expected) in [
            ("", "null"),
            ("\u{feff}a: 1", "{a:1@1}"),
            ("# none\n", "null"),
            (
                "---\na: true\nb:\n  - x\n  - 'y'\n...\n",
                "{a:true@2 b:[x@4 y@5]}",
            ),
            (
                "a:\nb: ~\nc: null\nd: 'null'\ne: !!str\n",
                "{a:null b:null c:null d:null@4 e:@5}",
            ),
            ("a: {b: [1, {c: 2}]}", "{a:{b:[1@1 {c:2@1}]}}"),
            ("a: &x [1]\nb: *x\n", "{a:[1@1] b:[1@1]}"),
            ("a: >\n  folded\n  text\n", "{a:folded text\n@2}"),
            ("{\"a\": \"\\u0041\"}", "{a:A@1}"),
            ("1: x\r\n~: y\r\n", "{1:x@1 null:y@2}"),
        ] {
            let found = parse(text).map(|node| form(&node));
            assert_eq!(found, Ok(expected.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, line, part) in [
            ("a: 1\nb: [1\n", 3, ""),
            ("a: 1\n\tb: 2\n", 1, "found a tab"),
            ("a: 1\na: 2\n", 2, "the key a is there twice"),
            ("a: 1\n---\nb: 2\n", 2, "second document"),
            ("? [1]\n: 2\n", 1, "a key is not a text"),
            ("a: &x\n  - *x\n", 2, "not ended"),
            ("a: *x\n", 1, ""),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.text.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_grows_is_refused_quickly() {
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let all = vec![format!("*a{}", level - 1); 10].join(", ");
            laughs.push_str(&format!("a{level}: &a{level} [{all}]\n"));
        }
        let mib = |text: &str| text.repeat((1 << 20) / text.len());
        for (text, part) in [
            (laughs, "more than 50000 values"),
            (mib("["), ""),
            (mib("{"), ""),
            (mib("- "), ""),
            (mib("? "), ""),
            (mib("a: "), ""),
            (mib("- x\n"), "more than 50000 values"),
            (format!("[{}]", mib("x,")), "more than 50000 values"),
            (mib("&a "), ""),
            (mib("!"), ""),
            (mib("%"), ""),
            (format!("\"{}", mib("x")), ""),
            (mib("[\n"), ""),
            (mib("{a: "), ""),
        ] {
            let start = Instant::now();
            let error = parse(&text).expect_err(&text[..20]);
            assert!(error.text.contains(part), "{text:.20}: {error}");
            let took = start.elapsed();
            assert!(took < Duration::from_secs(20), "{text:.20}: {took:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            drop(parse(&text));
        }

        #[test]
        fn no_text_of_yaml_panics(text in "[-a1:,{}\\[\\]&*!|>'\"%@`#?~. \n\t\\\\]{0,80}") {
            drop(parse(&text));
        }
    }
}
