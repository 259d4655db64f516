//! What the agent asks of us in its answers to the metrics (docs/PROTOCOL.md,
//! "Requests of the agent"), and what it gets: a refusal. No file of the
//! application is ever served.

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

/// The requests in an answer to the metrics; `None` if it is neither an array
/// nor one of the other forms known to mean "no requests" (empty, an object:
/// the OTLP answer). Entries without a usable `messageId` cannot be answered
/// and are left out.
pub(crate) fn parse(answer: &[u8]) -> Option<Vec<AgentRequest>> {
    // What comes each second is not parsed.
    if matches!(answer.trim_ascii(), b"" | b"[]" | b"{}") {
        return Some(Vec::new());
    }
    if answer.len() > MAX_ANSWER {
        return None;
    }
    let entries = match serde_json::from_slice(answer) {
        Ok(Value::Array(entries)) => entries,
        Ok(Value::Object(_) | Value::Null) => return Some(Vec::new()),
        _ => return None,
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
    Some(requests.take(MAX_REQUESTS).collect())
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
        let table: [(&str, Option<Vec<AgentRequest>>); 12] = [
            ("", Some(vec![])),
            (" \n", Some(vec![])),
            ("[]", Some(vec![])),
            ("{}", Some(vec![])),
            ("null", Some(vec![])),
            ("OK", None),
            ("7", None),
            ("[", None),
            (r#"[{"action":"a","messageId":"1","args":{"file":"/etc/passwd"}}]"#, Some(vec![request("a", "1")])),
            (r#"[1,null,{},{"action":"a"},{"action":"a","messageId":7},{"messageId":""}]"#, Some(vec![])),
            (r#"[{"messageId":"2"}]"#, Some(vec![request("", "2")])),
            (r#"[{"action":7,"messageId":"3"},{"action":"b","messageId":"4"}]"#, Some(vec![request("", "3"), request("b", "4")])),
        ];
        for (answer, expected) in table {
            assert_eq!(parse(answer.as_bytes()), expected, "{answer}");
        }
        let long = format!("[{}]", " ".repeat(MAX_ANSWER));
        assert_eq!(parse(long.as_bytes()), None);
        let many = format!("[{}]", vec![r#"{"messageId":"1"}"#; 100].join(","));
        assert_eq!(
            parse(many.as_bytes()).map(|all| all.len()),
            Some(MAX_REQUESTS)
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
