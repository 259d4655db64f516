//! A notification of SNS in the body of a message: its JSON has the attributes of the //!
//! published message.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The attributes of a body that is a notification; `None` for all other bodies, which
/// are parsed only if they look like one.
pub(super) fn attributes(body: &str) -> Option<Value> {
    let may_be_one = body.trim_start().starts_with('{')
        && body.contains("\"Notification\"")
        && body.contains("\"MessageAttributes\"");
    if !may_be_one {
        return None;
    }
    let notification: Notification = serde_json::from_str(body).ok()?;
    (notification.kind == "Notification").then_some(notification.attributes)
}

/// The parts of it that matter; the message itself is not copied.
#[derive(Default)]
struct Notification {
    kind: Value,
    attributes: Value,
}

impl<'de> Deserialize<'de> for Notification {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Parts)
    }
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Notification;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a notification")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Notification, A::Error> {
        let mut notification = Notification::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "Type" => notification.kind = map.next_value()?,
                "MessageAttributes" => notification.attributes = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(notification)
    }
}
