//! `AnnounceAnswer`: the agent's answer to an announce.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The agent's answer to announces (docs/PROTOCOL.md, "Answer to the announce").
///
/// ```
/// use instana_dev_agent::AnnounceAnswer;
///
/// // The answered pid is another one than the sent, as in a container.
/// let answer = AnnounceAnswer::new()
///     .pid_offset(100_000)
///     .extra_headers(["x-tenant"])
///     .secrets("equals", ["password"]);
/// # let _ = answer;
/// ```
#[derive(Clone, Debug)]
#[must_use = "it takes effect in `Config::announce_answer` or `DevAgent::set_announce_answer`"]
pub struct AnnounceAnswer {
    agent_uuid: String,
    pid_offset: u64,
    pids: BTreeMap<u64, u64>,
    matcher: String,
    secrets: Vec<String>,
    extra_headers: Vec<String>,
    tracing: Value,
    poll_rate: Option<u64>,
    members: Map<String, Value>,
    raw: Option<String>,
}

impl AnnounceAnswer {
    /// The matchers with which an agent can say which keys are secret.
    pub const MATCHERS: &[&str] = &[
        "equals",
        "equals-ignore-case",
        "contains",
        "contains-ignore-case",
        "regex",
        "none",
    ];

    /// The agent's default answer: the sent pid, `contains-ignore-case` key,
    /// pass and secret, no extra headers.
    pub fn new() -> Self {
        Self {
            agent_uuid: "02:42:ac:ff:fe:11:00:02".to_owned(),
            pid_offset: 0,
            pids: BTreeMap::new(),
            matcher: "contains-ignore-case".to_owned(),
            secrets: ["key", "pass", "secret"].map(str::to_owned).to_vec(),
            extra_headers: Vec::new(),
            tracing: json!({}),
            poll_rate: None,
            members: Map::new(),
            raw: None,
        }
    }

    /// The host id, `agentUuid`.
    pub fn agent_uuid(mut self, uuid: impl Into<String>) -> Self {
        self.agent_uuid = uuid.into();
        self
    }

    /// Answers with the sent pid plus this.
    pub fn pid_offset(mut self, offset: u64) -> Self {
        self.pid_offset = offset;
        self
    }

    /// Answers announces of `sent` with `answered`; goes before the offset.
    pub fn pid(mut self, sent: u64, answered: u64) -> Self {
        self.pids.insert(sent, answered);
        self
    }

    /// The secrets matcher, one of [`MATCHERS`](Self::MATCHERS), and its list.
    pub fn secrets<S: Into<String>>(
        mut self,
        matcher: impl Into<String>,
        list: impl IntoIterator<Item = S>,
    ) -> Self {
        self.matcher = matcher.into();
        self.secrets = list.into_iter().map(Into::into).collect();
        self
    }

    /// Headers to capture, sent as `extraHeaders` and, where there are any, as
    /// `tracing.extra-http-headers`.
    pub fn extra_headers<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.extra_headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// Members of `tracing`, merged into it.
    pub fn tracing(mut self, tracing: Value) -> Self {
        merge(&mut self.tracing, tracing);
        self
    }

    /// Categories and types that are not to be traced: `tracing.disable` as a
    /// list of objects. The other shapes go through [`Self::tracing`].
    pub fn disable<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        let one = |name: S| json!({(name.into()): true});
        let list: Value = names.into_iter().map(one).collect();
        self.tracing(json!({"disable": list}))
    }

    /// `tracing.ignore-endpoints`, for instance `{"redis": ["get"]}`.
    pub fn ignore_endpoints(self, services: Value) -> Self {
        self.tracing(object("ignore-endpoints", services))
    }

    /// `tracing.filter`: `{deactivate?, exclude: […], include: […]}`.
    pub fn filter(self, rules: Value) -> Self {
        self.tracing(object("filter", rules))
    }

    /// Which exits get a stack: `all`, `error` or `none`.
    pub fn stack_trace(self, mode: impl Into<String>) -> Self {
        self.tracing(json!({"global": {"stack-trace": mode.into()}}))
    }

    /// The most frames of a stack.
    pub fn stack_trace_length(self, frames: u64) -> Self {
        self.tracing(json!({"global": {"stack-trace-length": frames}}))
    }

    /// Whether short exits are merged (`b`).
    pub fn span_batching(self, enabled: bool) -> Self {
        self.tracing(json!({"span-batching-enabled": enabled}))
    }

    /// Whether Kafka messages carry the trace.
    pub fn kafka_trace_correlation(self, enabled: bool) -> Self {
        self.tracing(json!({"kafka": {"trace-correlation": enabled}}))
    }

    /// The metrics interval in seconds, in both shapes that the tracers read.
    pub fn poll_rate(mut self, seconds: u64) -> Self {
        self.poll_rate = Some(seconds);
        self
    }

    /// A further top-level member; `null` removes one.
    pub fn member(mut self, name: impl Into<String>, value: Value) -> Self {
        self.members.insert(name.into(), value);
        self
    }

    /// Answers with this text, unchecked.
    pub fn raw(mut self, body: impl Into<String>) -> Self {
        self.raw = Some(body.into());
        self
    }

    /// Changes an answer by the JSON of the control API.
    ///
    /// # Errors
    /// A member is unknown or has the wrong type; the text names it.
    pub fn merge_json(mut self, change: &Value) -> Result<Self, String> {
        let members = change.as_object().ok_or("expected an object")?;
        for (key, value) in members {
            self = self.change(key, value)?;
        }
        Ok(self)
    }

    fn change(self, key: &str, value: &Value) -> Result<Self, String> {
        let wrong = |wanted: &str| format!("`{key}` is not {wanted}");
        let text = || value.as_str().ok_or_else(|| wrong("text"));
        let number = || value.as_u64().ok_or_else(|| wrong("a whole number"));
        let texts = |value: Option<&Value>| {
            let list = value.and_then(Value::as_array)?;
            list.iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        };
        Ok(match key {
            "agentUuid" => self.agent_uuid(text()?),
            "pidOffset" => self.pid_offset(number()?),
            "pids" => {
                let pids = value
                    .as_object()
                    .ok_or_else(|| wrong("an object of pids"))?;
                let mut changed = self;
                for (sent, answered) in pids {
                    let pair = sent.parse().ok().zip(answered.as_u64());
                    let (sent, answered) = pair.ok_or_else(|| wrong("an object of pids"))?;
                    changed = changed.pid(sent, answered);
                }
                changed
            }
            "secrets" => {
                let matcher = value.get("matcher").and_then(Value::as_str);
                let both = matcher.zip(texts(value.get("list")));
                let (matcher, list) = both.ok_or_else(|| wrong("{matcher, list}"))?;
                self.secrets(matcher, list)
            }
            "extraHeaders" => {
                let list = texts(Some(value)).ok_or_else(|| wrong("an array of texts"))?;
                self.extra_headers(list)
            }
            "tracing" => self.tracing(value.clone()),
            "pollRate" => self.poll_rate(number()?),
            "members" => {
                let members = value.as_object().ok_or_else(|| wrong("an object"))?;
                let each = members.iter();
                each.fold(self, |answer, (name, value)| {
                    answer.member(name, value.clone())
                })
            }
            "raw" => self.raw(text()?),
            _ => {
                return Err(format!(
                    "`{key}` is unknown; known are agentUuid, pidOffset, pids, secrets, \
                     extraHeaders, tracing, pollRate, members, raw"
                ));
            }
        })
    }

    /// The pid that announces of `sent` are answered with.
    pub(crate) fn answered_pid(&self, sent: u64) -> u64 {
        let mapped = self.pids.get(&sent).copied();
        mapped.unwrap_or_else(|| sent.saturating_add(self.pid_offset))
    }

    /// The answer's text.
    pub(crate) fn render(&self, plugin: &str, sent: u64) -> String {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut tracing = json!({});
        if !self.extra_headers.is_empty() {
            merge(
                &mut tracing,
                json!({"extra-http-headers": self.extra_headers}),
            );
        }
        merge(&mut tracing, self.tracing.clone());
        let mut answer = json!({
            "pid": self.answered_pid(sent),
            "agentUuid": self.agent_uuid,
            "secrets": {"matcher": self.matcher, "list": self.secrets},
            "extraHeaders": self.extra_headers,
        });
        if tracing
            .as_object()
            .is_some_and(|tracing| !tracing.is_empty())
        {
            merge(&mut answer, json!({"tracing": tracing}));
        }
        if let Some(seconds) = self.poll_rate {
            let rate = json!({"poll_rate": seconds});
            merge(
                &mut answer,
                json!({(format!("plugin.{plugin}")): rate, "plugin": {plugin: rate}}),
            );
        }
        if let Some(answer) = answer.as_object_mut() {
            for (name, value) in &self.members {
                answer.insert(name.clone(), value.clone());
            }
            answer.retain(|_, value| !value.is_null());
        }
        answer.to_string()
    }
}

impl Default for AnnounceAnswer {
    fn default() -> Self {
        Self::new()
    }
}

fn object(key: &str, value: Value) -> Value {
    Map::from_iter([(key.to_owned(), value)]).into()
}

/// Merges objects, member by member; anything else replaces.
pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(answer: &AnnounceAnswer) -> Value {
        serde_json::from_str(&answer.render("rust", 7)).unwrap()
    }

    #[test]
    fn answers_the_sent_pid_by_default() {
        let answer = rendered(&AnnounceAnswer::new());
        assert_eq!(
            answer,
            json!({"pid": 7, "agentUuid": "02:42:ac:ff:fe:11:00:02", "extraHeaders": [],
                "secrets": {"matcher": "contains-ignore-case", "list": ["key", "pass", "secret"]}})
        );
    }

    #[test]
    fn changes_by_json() {
        let change = json!({"pidOffset": 10, "pids": {"8": 1}, "extraHeaders": ["a"],
            "tracing": {"global": {"stack-trace": "all"}}, "pollRate": 5,
            "members": {"secrets": null}});
        let answer = AnnounceAnswer::new().merge_json(&change).unwrap();
        assert_eq!(
            rendered(&answer),
            json!({"pid": 17, "agentUuid": "02:42:ac:ff:fe:11:00:02", "extraHeaders": ["a"],
                "tracing": {"extra-http-headers": ["a"], "global": {"stack-trace": "all"}},
                "plugin.rust": {"poll_rate": 5}, "plugin": {"rust": {"poll_rate": 5}}})
        );
        assert_eq!(answer.answered_pid(8), 1);
        assert_eq!(answer.raw("[").render("rust", 7), "[");
    }

    #[test]
    fn settings_of_tracing() {
        let answer = AnnounceAnswer::new()
            .disable(["logging", "redis"])
            .ignore_endpoints(json!({"redis": ["get"]}))
            .filter(json!({"exclude": [{"name": "health"}]}))
            .stack_trace("all")
            .stack_trace_length(25)
            .span_batching(true)
            .kafka_trace_correlation(false)
            .extra_headers(["x-tenant"]);
        assert_eq!(
            rendered(&answer)["tracing"],
            json!({"disable": [{"logging": true}, {"redis": true}],
                "ignore-endpoints": {"redis": ["get"]},
                "filter": {"exclude": [{"name": "health"}]},
                "global": {"stack-trace": "all", "stack-trace-length": 25},
                "span-batching-enabled": true, "kafka": {"trace-correlation": false},
                "extra-http-headers": ["x-tenant"]})
        );
    }

    #[test]
    fn refuses_unknown_members() {
        let refused = |change: Value| AnnounceAnswer::new().merge_json(&change).unwrap_err();
        assert!(refused(json!({"pid": 1})).contains("`pid` is unknown; known are agentUuid"));
        assert_eq!(
            refused(json!({"pollRate": "x"})),
            "`pollRate` is not a whole number"
        );
        assert_eq!(refused(json!([])), "expected an object");
    }
}
