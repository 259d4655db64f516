//! The secrets of an announce answer: finds values that should be redacted.

use serde_json::Value;

/// The secrets of an announce answer: which keys have values to redact
/// (docs/ENVIRONMENT.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secrets {
    matcher: String,
    list: Vec<String>,
}

impl Secrets {
    /// The `secrets` member of an announce answer. A `regex` is not checked:
    /// it is Java's, and the agent has none at hand.
    pub(crate) fn from_answer(answer: &Value) -> Option<Self> {
        let secrets = answer.get("secrets")?;
        let list = secrets.get("list")?.as_array()?;
        Some(Self {
            matcher: secrets.get("matcher")?.as_str()?.to_owned(),
            list: list
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        })
    }

    /// The first key of a query string whose value should be redacted and is not.
    pub(crate) fn leaked<'a>(&self, params: &'a str) -> Option<&'a str> {
        params.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let redacted = value.is_empty()
                || value == "<redacted>"
                || value.eq_ignore_ascii_case("%3Credacted%3E");
            (!redacted && self.matches(key)).then_some(key)
        })
    }

    fn matches(&self, key: &str) -> bool {
        let lower = key.to_lowercase();
        self.list.iter().any(|secret| match self.matcher.as_str() {
            "equals" => key == secret,
            "equals-ignore-case" => lower == secret.to_lowercase(),
            "contains" => key.contains(secret.as_str()),
            "contains-ignore-case" => lower.contains(&secret.to_lowercase()),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn leaked(matcher: &str, params: &'static str) -> Option<&'static str> {
        let answer = json!({"secrets": {"matcher": matcher, "list": ["key", "Pass"]}});
        Secrets::from_answer(&answer).unwrap().leaked(params)
    }

    #[test]
    fn matchers_work_on_keys() {
        for (matcher, params, expected) in [
            (
                "contains-ignore-case",
                "a=key&myPASSword=1",
                Some("myPASSword"),
            ),
            ("contains", "mypassword=1&mykey=2", Some("mykey")),
            ("equals", "keys=1&key=2", Some("key")),
            ("equals-ignore-case", "pas=1&PASS=2", Some("PASS")),
            ("none", "key=2", None),
            ("regex", "key=2", None),
            (
                "contains-ignore-case",
                "key=<redacted>&pass=%3Credacted%3E&key=&pass",
                None,
            ),
        ] {
            assert_eq!(leaked(matcher, params), expected, "{matcher} {params}");
        }
    }
}
