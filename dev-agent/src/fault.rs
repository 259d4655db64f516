//! `Fault`: failures that the agent simulates for matching requests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::RequestKind;

/// Which requests a fault hits: all, unless narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it selects requests for a `Fault`"]
pub struct Matcher {
    method: Option<String>,
    kind: Option<RequestKind>,
    pid: Option<u64>,
}

impl Matcher {
    /// Every request except requests of the control API.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests of this kind.
    pub fn kind(kind: RequestKind) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// Only with this method.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only with this pid in the URL.
    pub fn pid(mut self, pid: u64) -> Self {
        self.pid = Some(pid);
        self
    }

    pub(crate) fn matches(&self, kind: RequestKind, method: &str, pid: Option<u64>) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.method.as_deref().is_none_or(|wanted| wanted == method)
            && (self.pid.is_none() || self.pid == pid)
    }
}

/// The failure. Only with `Body` and `Delay` does the agent process the request. After the
/// others it behaves as if the request had never arrived, so that a retry is no duplicate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// 200 with this body.
    Body(String),
    /// The answer comes late.
    Delay(Duration),
    /// The connection is closed without an answer.
    Drop,
    /// These bytes instead of an HTTP answer.
    Garbage(Vec<u8>),
    /// No answer; the connection stays open until the fault is cleared.
    Hang,
    /// This status, with an empty body.
    Status(u16),
    /// Half an answer, then the connection is closed.
    Truncated,
}

/// A fault of the agent, for tests.
///
/// ```
/// use instana_dev_agent::{Fault, Matcher, RequestKind, What};
///
/// let twice = Fault::new(Matcher::kind(RequestKind::Traces), What::Status(500)).times(2);
/// # let _ = twice;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    on: Matcher,
    what: What,
    times: Option<u32>,
}

impl Fault {
    /// A fault that stays until it is cleared.
    #[must_use = "it takes effect in `DevAgent::fault`"]
    pub fn new(on: Matcher, what: What) -> Self {
        Self {
            on,
            what,
            times: None,
        }
    }

    /// Ends after that many requests.
    #[must_use = "it takes effect in `DevAgent::fault`"]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Reads a fault of the control API:
    /// `{"on": {"kind", "method", "pid"}, "what": {"status": 500}, "times": 2}`.
    ///
    /// # Errors
    /// A member is unknown or has the wrong type; the text names it.
    pub fn from_json(fault: &Value) -> Result<Self, String> {
        let members = fault
            .as_object()
            .ok_or("expected an object {on?, what, times?}")?;
        if let Some(key) = members
            .keys()
            .find(|key| !matches!(key.as_str(), "on" | "what" | "times"))
        {
            return Err(format!("`{key}` is unknown; known are on, what, times"));
        }
        let on = matcher(fault.get("on"))?;
        let what = what(fault.get("what").unwrap_or(&Value::Null))?;
        let mut read = Self::new(on, what);
        if let Some(times) = fault.get("times") {
            let times = times.as_u64().and_then(|times| u32::try_from(times).ok());
            read = read.times(
                times
                    .filter(|times| *times > 0)
                    .ok_or("`times` is not a number above 0")?,
            );
        }
        Ok(read)
    }

    /// The fault as the control API shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let what = match &self.what {
            What::Body(body) => json!({"body": body}),
            What::Delay(delay) => {
                json!({"delay_ms": u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)})
            }
            What::Drop => json!("drop"),
            What::Garbage(bytes) => json!({"garbage": String::from_utf8_lossy(bytes)}),
            What::Hang => json!("hang"),
            What::Status(status) => json!({"status": status}),
            What::Truncated => json!("truncated"),
        };
        let on = json!({
            "kind": self.on.kind.map_or("any", RequestKind::name),
            "method": self.on.method, "pid": self.on.pid,
        });
        json!({"on": on, "what": what, "times": self.times})
    }

    /// The bytes that it takes.
    pub(crate) fn weight(&self) -> usize {
        let what = match &self.what {
            What::Body(body) => body.capacity(),
            What::Garbage(bytes) => bytes.capacity(),
            _ => 0,
        };
        size_of::<Self>() + self.on.method.as_ref().map_or(0, String::len) + what
    }

    pub(crate) fn on(&self) -> &Matcher {
        &self.on
    }

    pub(crate) fn what(&self) -> &What {
        &self.what
    }

    pub(crate) fn remaining(&mut self) -> Option<&mut u32> {
        self.times.as_mut()
    }
}

fn matcher(on: Option<&Value>) -> Result<Matcher, String> {
    let mut matcher = Matcher::any();
    let Some(on) = on else { return Ok(matcher) };
    for (key, value) in on
        .as_object()
        .ok_or("`on` is not an object {kind?, method?, pid?}")?
    {
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("kind", Value::String(kind)) if kind == "any" => {}
            ("kind", Value::String(kind)) => {
                let known: Vec<_> = RequestKind::ALL.iter().map(|kind| kind.name()).collect();
                let unknown = || {
                    format!(
                        "kind `{kind}` is unknown; known are any, {}",
                        known.join(", ")
                    )
                };
                matcher.kind = Some(RequestKind::named(kind).ok_or_else(unknown)?);
            }
            ("method", Value::String(method)) => matcher.method = Some(method.to_uppercase()),
            ("pid", Value::Number(pid)) if pid.is_u64() => matcher.pid = pid.as_u64(),
            _ => {
                return Err(format!(
                    "`on.{key}` is unknown or of the wrong type; known are kind, method, pid"
                ));
            }
        }
    }
    Ok(matcher)
}

fn what(what: &Value) -> Result<What, String> {
    let expected = "`what` is not \"drop\", \"hang\", \"truncated\" or one of {\"status\": 200 to 599}, \
                    {\"delay_ms\": n}, {\"garbage\": text}, {\"body\": text}";
    let single = what.as_object().filter(|what| what.len() == 1);
    let read = match (what.as_str(), single.and_then(|what| what.iter().next())) {
        (Some("drop"), _) => Some(What::Drop),
        (Some("hang"), _) => Some(What::Hang),
        (Some("truncated"), _) => Some(What::Truncated),
        (_, Some((key, value))) => match key.as_str() {
            "status" => {
                let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
                status
                    .filter(|status| (200..600).contains(status))
                    .map(What::Status)
            }
            "delay_ms" => value
                .as_u64()
                .map(|ms| What::Delay(Duration::from_millis(ms))),
            "garbage" => value
                .as_str()
                .map(|text| What::Garbage(text.as_bytes().to_vec())),
            "body" => value.as_str().map(|text| What::Body(text.to_owned())),
            _ => None,
        },
        _ => None,
    };
    read.ok_or_else(|| expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_round_trip() {
        for what in [
            json!("drop"),
            json!("hang"),
            json!("truncated"),
            json!({"status": 500}),
            json!({"delay_ms": 20}),
            json!({"garbage": "x"}),
            json!({"body": "[]"}),
        ] {
            let fault = json!({"on": {"kind": "metrics", "method": "POST", "pid": 4}, "what": what, "times": 3});
            assert_eq!(Fault::from_json(&fault).unwrap().to_json(), fault);
        }
    }

    #[test]
    fn bad_json_tells_what_is_accepted() {
        for (fault, part) in [
            (json!([]), "{on?, what, times?}"),
            (json!({"what": "explode"}), "\"drop\", \"hang\""),
            (json!({"what": {"status": 20}}), "200 to 599"),
            (
                json!({"on": {"kind": "x"}, "what": "drop"}),
                "known are any, announce",
            ),
            (
                json!({"on": {"pid": "1"}, "what": "drop"}),
                "known are kind, method, pid",
            ),
            (json!({"what": "drop", "times": 0}), "above 0"),
            (
                json!({"what": "drop", "when": 0}),
                "known are on, what, times",
            ),
        ] {
            let error = Fault::from_json(&fault).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn matchers_narrow() {
        let on = Matcher::kind(RequestKind::Metrics).method("POST").pid(3);
        assert!(on.matches(RequestKind::Metrics, "POST", Some(3)));
        assert!(!on.matches(RequestKind::Metrics, "POST", None));
        assert!(!on.matches(RequestKind::Ready, "POST", Some(3)));
        assert!(Matcher::any().matches(RequestKind::Unknown, "GET", None));
    }
}
