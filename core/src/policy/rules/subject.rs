//! A span as rules see it.

use std::borrow::Cow;

use crate::record::fields;
use crate::record::fields::Attribute;
use crate::record::tag::kind;
use crate::record::{Family, Field, Kind, Section, Shape, sdk};

/// A span, as far as it is known: its family and the attributes so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) family: &'static Family,
    pub(crate) attributes: &'a [u8],
}

impl<'a> Subject<'a> {
    /// The value at `key`: `category`, `kind`, `type`, or the path of a field
    /// such as `http.status`. `None`: the span has none, or none yet.
    pub(super) fn value(&self, key: &str) -> Option<Cow<'a, str>> {
        Some(match key {
            "category" => self.family.category().into(),
            "kind" | "sdk.type" => self.family.kind().word().into(),
            "type" => self.family.section().key().into(),
            _ => return self.field(key),
        })
    }

    /// True where a span of this family may have a value at `key`.
    pub(super) fn may_have(&self, key: &str) -> bool {
        let section = key.split_once('.').map_or("", |(section, _)| section);
        section == self.family.section().key() || section == sdk::SECTION.key()
    }

    pub(super) fn is_type(&self, name: &str) -> bool {
        self.family.type_names().any(|known| known == name)
    }

    pub(super) fn is_exit(&self) -> bool {
        self.family.kind() == Kind::Exit
    }

    fn field(&self, key: &str) -> Option<Cow<'a, str>> {
        let (section, path) = key.split_once('.')?;
        if let Some(name) = key.strip_prefix("sdk.custom.tags.") {
            return self.last(&sdk::SECTION, sdk::CUSTOM, |value| tag(value, name));
        }
        let declared = self.family.section();
        let declared = if section == declared.key() {
            declared
        } else if section == sdk::SECTION.key() {
            &sdk::SECTION
        } else {
            return None;
        };
        let is_field = |field: &Field| match field.shape {
            Shape::Headers => path
                .strip_prefix(field.key)
                .is_some_and(|rest| rest.starts_with('.')),
            _ => path == field.key,
        };
        let number = declared.fields().iter().position(is_field)?;
        let field = declared.fields().get(number)?;
        let read = |value: &'a [u8]| match field.shape {
            Shape::Headers => header(value, path.strip_prefix(field.key)?.strip_prefix('.')?),
            shape => text(value, shape),
        };
        self.last(declared, u8::try_from(number).ok()?, read)
    }

    /// The last value of a field that `read` takes.
    fn last(
        &self,
        section: &'static Section,
        field: u8,
        read: impl Fn(&'a [u8]) -> Option<Cow<'a, str>>,
    ) -> Option<Cow<'a, str>> {
        let index = section.index();
        let mut rest = self.attributes;
        let mut last = None;
        while let Some((attribute, tail)) = Attribute::split(rest) {
            rest = tail;
            if attribute.section == index && attribute.field == field {
                last = read(attribute.value).or(last);
            }
        }
        last
    }
}

/// The value of a field, as text.
fn text(value: &[u8], shape: Shape) -> Option<Cow<'_, str>> {
    let number = || value.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
    Some(match shape {
        Shape::Integer => (number()? as i64).to_string().into(),
        Shape::Float => f64::from_bits(number()?).to_string().into(),
        Shape::Boolean => if value == [1] { "true" } else { "false" }.into(),
        Shape::Lists => return None,
        _ => std::str::from_utf8(value).ok()?.into(),
    })
}

fn header<'a>(value: &'a [u8], wanted: &str) -> Option<Cow<'a, str>> {
    let (name, value) = fields::pair(value)?;
    let is_it = name.eq_ignore_ascii_case(wanted.as_bytes());
    is_it.then(|| std::str::from_utf8(value).ok().map(Cow::Borrowed))?
}

fn tag<'a>(value: &'a [u8], wanted: &str) -> Option<Cow<'a, str>> {
    let (name, kind, value) = fields::tag(value)?;
    if name != wanted {
        return None;
    }
    let number = || value.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
    Some(match kind {
        kind::INTEGER => (number()? as i64).to_string().into(),
        kind::UNSIGNED => number()?.to_string().into(),
        kind::FLOAT => f64::from_bits(number()?).to_string().into(),
        kind::BOOLEAN => if value == [1] { "true" } else { "false" }.into(),
        _ => std::str::from_utf8(value).ok()?.into(),
    })
}
