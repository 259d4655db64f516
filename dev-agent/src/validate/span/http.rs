//! Checks the section `http` of a span.

use serde_json::{Map, Value};

use super::Span;
use crate::json::pointer;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// The rules for `data.http` beyond types (docs/PROTOCOL.md, "HTTP spans").
pub(super) fn check(span: &Span<'_>, at: &str, http: &Map<String, Value>, report: &mut Report) {
    let text = |key: &str| http.get(key).and_then(Value::as_str);
    if let Some(status) = http
        .get("status")
        .filter(|status| status.is_u64() || status.is_i64())
    {
        match status.as_u64() {
            Some(code @ 100..=599) => server_error(span, at, code, report),
            _ => report.value(
                Rule::HttpStatus,
                pointer(at, "status"),
                status,
                "is no HTTP status",
            ),
        }
    }
    if let Some(method) = text("method") {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if method.is_empty() || !method.bytes().all(token) {
            report.text(
                Rule::HttpMethod,
                pointer(at, "method"),
                method,
                "is no HTTP method",
            );
        }
    }
    if let Some(url) = text("url") {
        check_url(at, url, report);
    }
    if let Some(path) = text("path").filter(|path| path.contains('?')) {
        report.text(Rule::HttpPath, pointer(at, "path"), path, "has a query");
    }
    if let Some(params) = text("params") {
        let at = pointer(at, "params");
        if params.starts_with('?') {
            report.text(Rule::HttpParams, at, params, "starts with `?`");
        } else if let Some(secrets) = &span.context.secrets {
            if let Some(key) = secrets.leaked(params) {
                report.text(
                    Rule::Secret,
                    at,
                    key,
                    "is the key of a value that is not redacted",
                );
            }
        }
    }
}

fn check_url(at: &str, url: &str, report: &mut Report) {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let credentials = authority.rsplit_once('@').map(|(user, _)| user);
    if url.contains(['?', '#']) {
        report.text(
            Rule::HttpUrl,
            pointer(at, "url"),
            url,
            "has a query or fragment",
        );
    } else if credentials.is_some_and(|user| user != "<redacted>:<redacted>") {
        report.text(Rule::HttpUrl, pointer(at, "url"), "", "has credentials");
    }
}

fn server_error(span: &Span<'_>, at: &str, code: u64, report: &mut Report) {
    let counted = span.name() != "graphql.server" && (span.is_entry() || report.plugin() == "rust");
    if code >= 500 && counted && span.errors() == 0 {
        let at = pointer(at, "status");
        report.text(Rule::ServerError, at, &code.to_string(), "with `ec` 0");
    }
}
