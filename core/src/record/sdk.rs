//! SDK spans: the ones users name themselves.

use crate::record::{Family, Field, Kind, Section, Shape};

/// Bytes of a tag's text that are kept.
pub(crate) const TAG_LIMIT: u16 = 4_000;

/// Bytes of a span's name that are kept.
pub(crate) const NAME_LIMIT: u16 = 256;

/// The category of families whose errors stand in a tag of their own, `db.error`.
pub(crate) const DATABASES: &str = "databases";

/// `data.sdk`: also where other spans have their free tags
/// (`data.sdk.custom.tags`, as Node.js and Python nest them) and entries of their
/// log (`data.sdk.custom.logs`, from milliseconds to fields).
pub(crate) static SECTION: Section = Section::new(
    "sdk",
    &[
        Field::new("name", Shape::Text, NAME_LIMIT),
        Field::new("custom", Shape::Custom, TAG_LIMIT),
    ],
);
pub(crate) const NAME: u8 = 0;
pub(crate) const CUSTOM: u8 = 1;

pub(crate) static ENTRY: Family = Family::new("sdk", Kind::Entry, &SECTION, "sdk");
pub(crate) static EXIT: Family = Family::new("sdk", Kind::Exit, &SECTION, "sdk");
pub(crate) static INTERMEDIATE: Family = Family::new("sdk", Kind::Intermediate, &SECTION, "sdk");

/// True for one of these three: other spans have their attributes in tags, too.
pub(crate) fn is(family: &Family) -> bool {
    let all = [&ENTRY, &EXIT, &INTERMEDIATE];
    all.into_iter().any(|own| std::ptr::eq(own, family))
}
