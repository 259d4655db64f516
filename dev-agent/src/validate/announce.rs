//! Checks the members of an announce.

use serde_json::{Map, Value};

use super::report::Report;
use super::rule::Rule;
use crate::json::pointer;

/// Checks an announce body (docs/PROTOCOL.md, "Announce"), without the socket.
pub(crate) fn check(body: &Map<String, Value>, report: &mut Report) {
    match body.get("pid") {
        None => report.missing(Rule::AnnouncePid, "/pid"),
        Some(pid) if pid.as_u64().is_none_or(|pid| pid == 0) => {
            report.value(Rule::AnnouncePid, "/pid", pid, "is no positive integer");
        }
        Some(_) => {}
    }
    for (key, value) in body {
        member(key, value, report);
    }
    socket_members(body, report);
}

fn member(key: &str, value: &Value, report: &mut Report) {
    let at = pointer("", key);
    let text = value.as_str();
    let (rule, fits, message) = match key {
        "pid" => return,
        _ if value.is_null() => return report.text(Rule::NullMember, at, "null", "is null"),
        "pidFromParentNS" => (Rule::AnnounceParentNs, value.is_boolean(), "is no boolean"),
        "name" => (
            Rule::AnnounceName,
            text.is_some_and(|name| !name.is_empty()),
            "is no text",
        ),
        "args" => {
            let texts = value
                .as_array()
                .is_some_and(|args| args.iter().all(Value::is_string));
            (Rule::AnnounceArgs, texts, "is no array of texts")
        }
        "fd" if value.is_i64() || value.is_u64() => (Rule::NumericFd, false, "is a number"),
        "fd" => {
            let digits = text.is_some_and(|fd| fd.bytes().all(|b| b.is_ascii_digit()));
            (Rule::AnnounceFd, digits, "is no text of digits")
        }
        "inode" => (
            Rule::AnnounceInode,
            text.is_some_and(is_inode),
            "is not `socket:[N]`",
        ),
        "cpuSetFileContent" => {
            let short = text.is_some_and(|content| content.len() < 2000);
            (Rule::AnnounceCpuset, short, "is no text below 2000 bytes")
        }
        "spacer" => (Rule::AnnounceKey, text.is_some(), "is no text"),
        _ => (Rule::AnnounceKey, false, "is no key of an announce"),
    };
    if !fits {
        report.value(rule, at, value, message);
    }
}

/// `fd` and `inode` come together.
fn socket_members(body: &Map<String, Value>, report: &mut Report) {
    let given = |key: &str| {
        body.get(key)
            .is_some_and(|value| !value.is_null() && *value != "" && *value != -1)
    };
    match (given("fd"), given("inode")) {
        (true, false) => report.text(Rule::AnnounceInode, "/inode", "", "is missing beside `fd`"),
        (false, true) => report.text(Rule::AnnounceFd, "/fd", "", "is missing beside `inode`"),
        _ => {}
    }
}

/// Whether the text is empty or `socket:[N]`, as `/proc/<pid>/fd` links show it.
fn is_inode(text: &str) -> bool {
    let digits = text
        .strip_prefix("socket:[")
        .and_then(|rest| rest.strip_suffix(']'));
    text.is_empty()
        || digits.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
