//! Key-values of records.

use log::Record;
use log::kv::{Error, Key, Value, VisitSource};

use crate::capture::Said;

/// Collects all key-values, up to one that cannot be read.
pub(crate) fn visit(record: &Record<'_>, said: &mut Said) {
    let _ = record.key_values().visit(&mut Visitor(said));
}

struct Visitor<'a>(&'a mut Said);

impl<'kvs> VisitSource<'kvs> for Visitor<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        match value.to_borrowed_error() {
            Some(error) => self.0.error(error),
            None => self.0.value(key.as_str(), format_args!("{value}")),
        }
        Ok(())
    }
}
