//! Ignored endpoints (`reference`: Node).

use super::Subject;
use crate::config::IgnoredEndpoint;

/// One entry: a span of its service is ignored where all that it gives matches.
#[derive(Debug)]
pub(super) struct Endpoint {
    given: IgnoredEndpoint,
    places: Places,
}

/// Where the spans of a service have what an entry may give.
#[derive(Clone, Copy, Debug)]
struct Places {
    method: &'static str,
    endpoint: &'static str,
    connection: &'static str,
}

const REDIS: Places = Places {
    method: "redis.command",
    endpoint: "",
    connection: "redis.connection",
};
const DYNAMODB: Places = Places {
    method: "dynamodb.op",
    endpoint: "",
    connection: "dynamodb.region",
};
const KAFKA: Places = Places {
    method: "kafka.access",
    endpoint: "kafka.service",
    connection: "kafka.address",
};
const HTTP: Places = Places {
    method: "http.method",
    endpoint: "http.path",
    connection: "http.host",
};
/// No span has anything there.
const NOWHERE: Places = Places {
    method: "",
    endpoint: "",
    connection: "",
};

impl Endpoint {
    pub(super) fn new(given: &IgnoredEndpoint) -> Self {
        Self {
            places: match given.service.as_str() {
                "redis" => REDIS,
                "dynamodb" => DYNAMODB,
                "kafka" => KAFKA,
                "http" => HTTP,
                _ => NOWHERE,
            },
            given: given.clone(),
        }
    }

    pub(super) fn is(&self, subject: &Subject<'_>) -> bool {
        let given = &self.given;
        // Of HTTP, what comes in.
        let is_service =
            subject.is_type(&given.service) && !(given.service == "http" && subject.is_exit());
        let value = |place: &str| {
            let value = subject.value(place).filter(|_| !place.is_empty());
            value.map(|value| value.to_lowercase())
        };
        is_service
            && is_one(&given.methods, value(self.places.method).as_deref())
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
