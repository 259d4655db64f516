//! What the agent asks of us in its answers to the metrics (docs/PROTOCOL.md,
//! "Requests of the agent"), and what it gets: a refusal. No file of the
//! application is ever served.

use std::fmt;

use serde_json::{Value, json};

/// The most requests that are answered per metrics answer, and the longest
/// action and message id in bytes.
const MAX_REQUESTS: usize = 16;
const MAX_TEXT: usize = 256;
/// The longest answer that is looked at, in bytes: it comes each second.
const MAX_ANSWER: usize = 64 * 1024;

/// One request of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AgentRequest {
    /// What it wants done; kept short.
    pub(crate) action: String,
    /// What our answer has to name.
    pub(crate) message_id: String,
}

impl AgentRequest {
    /// The body of our answer.
    pub(crate) fn refusal(&self) -> Vec<u8> {
        let error = format!("unsupported action {:?}", self.action);
        json!({ "error": error }).to_string().into_bytes()
    }
}

/// Why an answer to metrics cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It is neither an array nor one of the other forms that mean "no requests".
    NotAnArray,
    /// It has so many bytes.
    TooLong(usize),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnArray => f.write_str("the answer is not a JSON array"),
            Self::TooLong(bytes) => write!(
                f,
                "the answer has {bytes} bytes, and at most {MAX_ANSWER} are read"
            ),
        }
    }
}

/// The requests in an answer to the metrics. An empty answer and an object (the OTLP
/// answer) have none. Entries without a usable `messageId` cannot be answered
/// and are left out.
pub(crate) fn parse(answer: &[u8]) -> Result<Vec<AgentRequest>, Unusable> {
    // What comes each second is not parsed.
    if matches!(answer.trim_ascii(), b"" | b"[]" | b"{}") {
        return Ok(Vec::new());
    }
    if answer.len() > MAX_ANSWER {
        return Err(Unusable::TooLong(answer.len()));
    }
    let entries = match serde_json::from_slice(answer) {
        Ok(Value::Array(entries)) => entries,
        Ok(Value::Object(_) | Value::Null) => return Ok(Vec::new()),
        _ => return Err(Unusable::NotAnArray),
    };
    let requests = entries.iter().filter_map(|entry| {
        let text = |key| entry.get(key).and_then(Value::as_str);
        let message_id = text("messageId")?;
        if message_id.is_empty() || message_id.len() > MAX_TEXT {
            return None;
        }
        Some(AgentRequest {
            action: text("action")
                .unwrap_or_default()
                .chars()
                .take(MAX_TEXT)
                .collect(),
            message_id: message_id.to_owned(),
        })
    });
    Ok(requests.take(MAX_REQUESTS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(action: &str, message_id: &str) -> AgentRequest {
        AgentRequest {
            action: action.to_owned(),
            message_id: message_id.to_owned(),
        }
    }

    #[test]
    fn answers_to_metrics() {
        #[rustfmt::skip]
        let table: [(&str, Result<Vec<AgentRequest>, Unusable>); 12] = [
            ("", Ok(vec![])),
            (" \n", Ok(vec![])),
            ("[]", Ok(vec![])),
            ("{}", Ok(vec![])),
            ("null", Ok(vec![])),
            ("OK", Err(Unusable::NotAnArray)),
            ("7", Err(Unusable::NotAnArray)),
            ("[", Err(Unusable::NotAnArray)),
            (r#"[{"action":"a","messageId":"1","args":{"file":"/etc/passwd"}}]"#, Ok(vec![request("a", "1")])),
            (r#"[1,null,{},{"action":"a"},{"action":"a","messageId":7},{"messageId":""}]"#, Ok(vec![])),
            (r#"[{"messageId":"2"}]"#, Ok(vec![request("", "2")])),
            (r#"[{"action":7,"messageId":"3"},{"action":"b","messageId":"4"}]"#, Ok(vec![request("", "3"), request("b", "4")])),
        ];
        for (answer, expected) in table {
            assert_eq!(parse(answer.as_bytes()), expected, "{answer}");
        }
        let long = format!("[{}]", " ".repeat(MAX_ANSWER));
        let too_long = Unusable::TooLong(MAX_ANSWER + 2);
        assert_eq!(parse(long.as_bytes()), Err(too_long));
        assert!(too_long.to_string().contains("65538 bytes"), "{too_long}");
        let many = format!("[{}]", vec![r#"{"messageId":"1"}"#; 100].join(","));
        assert_eq!(
            parse(many.as_bytes()).map(|all| all.len()),
            Ok(MAX_REQUESTS)
        );
    }

    #[test]
    fn every_action_is_refused() {
        let body = request("node.\"source\"", "1").refusal();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"error":"unsupported action \"node.\\\"source\\\"\""}"#
        );
    }
}
