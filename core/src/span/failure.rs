//! What went wrong, as a span takes it.

use std::error::Error;
use std::fmt::{self, Write};

use super::fields::{Attribute, Fields, prefix};
use super::tag::{TagValue, kind};
use super::{Family, sdk};
use crate::secrets::kept;

/// Sources of an error that are looked at.
const MOST_SOURCES: usize = 8;

/// An error to be recorded: any `&E` of a type that is an [`Error`], a
/// `&dyn Error`, or what is merely [displayed](Self::display). Made by `into()`
/// in [`Span::record_error`](super::Span::record_error).
#[derive(Clone, Copy)]
pub struct Failure<'a> {
    what: What<'a>,
    /// The type of the error, where that is known.
    type_name: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Error(&'a (dyn Error + 'a)),
    Text(&'a dyn fmt::Display),
}

impl<'a> Failure<'a> {
    /// Something that is no [`Error`], but tells what went wrong.
    pub fn display(text: &'a dyn fmt::Display) -> Self {
        Self {
            what: What::Text(text),
            type_name: None,
        }
    }

    fn of(error: &'a (dyn Error + 'a)) -> Self {
        Self {
            what: What::Error(error),
            type_name: None,
        }
    }

    /// Writes it where errors of the family stand.
    #[cold]
    pub(super) fn write(self, family: &'static Family, out: &mut Vec<u8>) {
        write_text(family, out, &self.text(limit(family)));
        // The families of libraries declare all that they record.
        let type_name = self
            .type_name
            .filter(|_| family.section().error().is_none())
            .filter(|_| family.category() != sdk::DATABASES);
        if let Some(name) = type_name {
            let name = TagValue::Text(prefix(name, usize::from(sdk::NAME_LIMIT)));
            Fields::new(out, &sdk::SECTION).tag("error.type", name);
        }
    }

    /// The text of the error and of its sources, to a little more than is kept of
    /// it, so that what is cut is counted.
    fn text(self, limit: u16) -> String {
        let mut text = Bounded::new(limit);
        match self.what {
            What::Text(display) => text.add(display),
            What::Error(error) => {
                text.add(error);
                let mut source = error.source();
                for _ in 0..MOST_SOURCES {
                    let Some(error) = source.filter(|_| !text.is_full()) else {
                        break;
                    };
                    let mut more = Bounded::new(limit);
                    more.add(error);
                    // Many errors repeat their source.
                    if !text.text.ends_with(&more.text) {
                        text.add(&": ");
                        text.add(&more.text);
                    }
                    source = error.source();
                }
            }
        }
        text.text
    }
}

impl<'a, E: Error> From<&'a E> for Failure<'a> {
    fn from(error: &'a E) -> Self {
        Self {
            type_name: Some(std::any::type_name::<E>()),
            ..Self::of(error)
        }
    }
}

impl<'a> From<&'a (dyn Error + 'a)> for Failure<'a> {
    fn from(error: &'a (dyn Error + 'a)) -> Self {
        Self::of(error)
    }
}

impl<'a> From<&'a (dyn Error + Send + 'a)> for Failure<'a> {
    fn from(error: &'a (dyn Error + Send + 'a)) -> Self {
        Self::of(error)
    }
}

impl<'a> From<&'a (dyn Error + Send + Sync + 'a)> for Failure<'a> {
    fn from(error: &'a (dyn Error + Send + Sync + 'a)) -> Self {
        Self::of(error)
    }
}

impl fmt::Debug for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("text", &self.text(sdk::TAG_LIMIT))
            .field("type_name", &self.type_name)
            .finish()
    }
}

/// Writes the text of an error into the field that the family has for it, or
/// into the tag `error` (of databases, `db.error`).
pub(super) fn write_text(family: &'static Family, out: &mut Vec<u8>, text: &str) {
    let section = family.section();
    match section.error() {
        Some((field, limit)) => Fields::new(out, section).redacted(field, text, limit),
        None => {
            Fields::new(out, &sdk::SECTION).tag(error_tag(family), TagValue::Error(text));
        }
    }
}

fn error_tag(family: &Family) -> &'static str {
    if family.category() == sdk::DATABASES {
        "db.error"
    } else {
        "error"
    }
}

fn limit(family: &Family) -> u16 {
    let field = family.section().error();
    field.map_or(sdk::TAG_LIMIT, |(_, limit)| limit)
}

/// Whether the text of an error was written.
pub(super) fn has_error(family: &'static Family, attributes: &[u8]) -> bool {
    let is_error = |attribute: Attribute<'_>| match family.section().error() {
        Some((field, _)) => {
            attribute.section == family.section().index() && attribute.field == field
        }
        None => {
            attribute.section == sdk::SECTION.index()
                && attribute.field == sdk::CUSTOM
                && matches!(
                    super::fields::tag(attribute.value),
                    Some((name, kind::ERROR, _)) if name == error_tag(family)
                )
        }
    };
    let mut rest = attributes;
    while let Some((attribute, tail)) = Attribute::split(rest) {
        if is_error(attribute) {
            return true;
        }
        rest = tail;
    }
    false
}

/// Text that takes no more than so many bytes, whatever is written to it.
struct Bounded {
    text: String,
    most: usize,
}

impl Bounded {
    fn new(limit: u16) -> Self {
        Self {
            text: String::new(),
            most: usize::from(kept(limit)) + 4,
        }
    }

    /// An error here is that of a full text, or one of the `Display`.
    fn add(&mut self, text: &(impl fmt::Display + ?Sized)) {
        let _ = write!(self, "{text}");
    }

    fn is_full(&self) -> bool {
        self.most.saturating_sub(self.text.len()) < 4
    }
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let fits = prefix(more, self.most.saturating_sub(self.text.len()));
        self.text.push_str(fits);
        if fits.len() < more.len() {
            // Nothing is written behind a gap.
            self.most = self.text.len();
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many layers as wanted, each the source of the one before.
    #[derive(Debug)]
    struct Layers(u64, Option<Box<Layers>>);

    impl Layers {
        fn new(count: u64) -> Self {
            (1..count).fold(Self(count - 1, None), |inner, at| {
                Self(count - 1 - at, Some(Box::new(inner)))
            })
        }
    }

    impl fmt::Display for Layers {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "layer {}", self.0)
        }
    }

    impl Error for Layers {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn sources_follow_to_a_bound() {
        let text = |error: &Layers| Failure::from(error).text(4_000);
        assert_eq!(text(&Layers::new(1)), "layer 0");
        assert_eq!(text(&Layers::new(3)), "layer 0: layer 1: layer 2");
        let deep = text(&Layers::new(1_000));
        assert!(deep.ends_with(": layer 8"), "{deep}");
    }

    #[test]
    fn a_source_that_the_text_ends_with_is_not_repeated() {
        #[derive(Debug)]
        struct Outer(Layers);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "outer: {}", self.0)
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let text = Failure::from(&Outer(Layers::new(2))).text(4_000);
        assert_eq!(text, "outer: layer 0: layer 1");
    }

    #[test]
    fn endless_texts_are_given_up() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("äöü")?;
                }
            }
        }
        let text = Failure::display(&Endless).text(100);
        let kept = usize::from(kept(100));
        assert!(
            (kept + 1..=kept + 4).contains(&text.len()),
            "{}",
            text.len()
        );
    }

    #[test]
    fn the_type_is_known_of_types_only() {
        let error = std::io::Error::other("broken");
        let typed = Failure::from(&error);
        assert_eq!(typed.type_name, Some("std::io::error::Error"));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(error);
        assert_eq!(Failure::from(&*boxed).type_name, None);
        let source: &(dyn Error + 'static) = &*boxed;
        assert_eq!(Failure::from(source).text(10), "broken");
    }
}
