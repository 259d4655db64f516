//! The text of a span's error: where it stands.

use std::borrow::Cow;

use crate::record::fields::{self, Attribute, Fields};
use crate::record::tag::{TagValue, kind};
use crate::record::{Family, sdk};
use crate::secrets::without_database_values;

/// Writes the text of an error into the field that the family has for it, or
/// into the tag `error` (of databases, `db.error`).
pub(crate) fn write_text(family: &'static Family, out: &mut Vec<u8>, text: &str) {
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

pub(crate) fn limit(family: &Family) -> u16 {
    let field = family.section().error();
    field.map_or(sdk::TAG_LIMIT, |(_, limit)| limit)
}

/// Whether the text of an error was written.
pub(crate) fn has_error(family: &'static Family, attributes: &[u8]) -> bool {
    let is_error = |attribute: Attribute<'_>| match family.section().error() {
        Some((field, _)) => {
            attribute.section == family.section().index() && attribute.field == field
        }
        None => {
            attribute.section == sdk::SECTION.index()
                && attribute.field == sdk::CUSTOM
                && matches!(
                    fields::tag(attribute.value),
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
