//! Ignored endpoints (as in Node.js).

use crate::config::{IgnoredEndpoint, Places};
use crate::policy::rules::Subject;

/// One entry: a span of its service is ignored where all that it gives matches.
#[derive(Debug)]
pub(super) struct Endpoint {
    given: IgnoredEndpoint,
    places: Places,
}

impl Endpoint {
    /// None for a service that cannot be ignored.
    pub(super) fn new(given: &IgnoredEndpoint) -> Option<Self> {
        Some(Self {
            places: given.places()?,
            given: given.clone(),
        })
    }

    pub(super) fn is(&self, subject: &Subject<'_>) -> bool {
        let given = &self.given;
        // Of HTTP, what comes in.
        let is_service =
            subject.is_type(&given.service) && !(given.service == "http" && subject.is_exit());
        let value = |place: Option<&str>| Some(subject.value(place?)?.to_lowercase());
        is_service
            && is_one(&given.methods, value(Some(self.places.method)).as_deref())
            && are_all(&given.endpoints, value(self.places.endpoint).as_deref())
            && is_part(&given.connections, value(self.places.connection).as_deref())
    }
}

fn is_one(wanted: &[String], value: Option<&str>) -> bool {
    wanted.is_empty()
        || value.is_some_and(|value| wanted.iter().any(|wanted| wanted == "*" || wanted == value))
}

/// A batch names several endpoints, with commas: each has to be wanted.
fn are_all(wanted: &[String], value: Option<&str>) -> bool {
    wanted.is_empty()
        || value.is_some_and(|value| {
            value
                .split(',')
                .all(|value| is_one(wanted, Some(value.trim())))
        })
}

fn is_part(wanted: &[String], value: Option<&str>) -> bool {
    wanted.is_empty()
        || value.is_some_and(|value| {
            wanted
                .iter()
                .any(|wanted| wanted == "*" || value.contains(wanted.as_str()))
        })
}
