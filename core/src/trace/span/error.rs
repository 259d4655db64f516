//! What went wrong, as a span takes it.

use std::error::Error;
use std::fmt;

use crate::base::losses::Losses;
use crate::base::text::prefix;
use crate::record::error_text::{limit, write_text};
use crate::record::fields::Fields;
use crate::record::tag::TagValue;
use crate::record::{Family, sdk};
use crate::trace::context::tracer::GLOBAL;
use crate::trace::span::causes::Causes;

/// An error to be recorded: any `&E` of a type that is an [`Error`], a
/// `&dyn Error`, or what is merely [displayed](Self::display). Made by `into()`
/// in [`Span::record_error`](crate::trace::span::Span::record_error).
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
    pub(crate) fn write(self, family: &'static Family, out: &mut Vec<u8>) {
        let causes = self.causes(limit(family));
        // Who records calls to a database knows what of its words are names.
        let causes = if family.category() == sdk::DATABASES {
            causes
        } else {
            causes.without_database_values()
        };
        let (text, is_cut) = causes.into_text(&|text| GLOBAL.redacted(text));
        if is_cut {
            Losses::cut();
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

    /// As it is shown where no family is known.
    fn text(self) -> String {
        let causes = self.causes(sdk::TAG_LIMIT).without_database_values();
        causes.into_text(&|text| GLOBAL.redacted(text)).0
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
            .field("text", &GLOBAL.redacted(&self.text()))
            .field("type_name", &self.type_name)
            .finish()
    }
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
