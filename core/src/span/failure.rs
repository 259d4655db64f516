//! What went wrong, as a span takes it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::causes::Causes;
use super::fields::{Attribute, Fields, prefix};
use super::tag::{TagValue, kind};
use super::{Family, sdk};
use crate::secrets::without_database_values;
use crate::status::Drops;
use crate::tracer::GLOBAL;

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
    /// Something that is no [`Error`], but says what went wrong. It is displayed in
    /// the form with `#`, in which anyhow's and eyre's errors write their sources.
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
        let (text, is_cut) = self.causes(limit(family)).into_text();
        if is_cut {
            Drops::cut();
        }
        write_text(family, out, &text);
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

    fn causes(self, limit: u16) -> Causes {
        match self.what {
            What::Text(text) => Causes::of_text(text, limit),
            What::Error(error) => Causes::of_error(error, limit),
        }
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
            .field(
                "text",
                &GLOBAL.redacted(&self.causes(sdk::TAG_LIMIT).into_text().0),
            )
            .field("type_name", &self.type_name)
            .finish()
    }
}

/// Writes the text of an error into the field that the family has for it, or
/// into the tag `error` (of databases, `db.error`).
pub(super) fn write_text(family: &'static Family, out: &mut Vec<u8>, text: &str) {
    // Who records calls to a database knows what of its words are names.
    let told = if family.category() == sdk::DATABASES {
        Cow::Borrowed(text)
    } else {
        without_database_values(text)
    };
    let text = told.as_ref();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_known_of_types_only() {
        let error = std::io::Error::other("broken");
        let typed = Failure::from(&error);
        assert_eq!(typed.type_name, Some("std::io::error::Error"));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(error);
        assert_eq!(Failure::from(&*boxed).type_name, None);
        let source: &(dyn Error + 'static) = &*boxed;
        assert!(format!("{:?}", Failure::from(source)).contains("\"broken\""));
    }
}
