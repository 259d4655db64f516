//! The rules for every request (docs/PROTOCOL.md, "Requests").

use super::report::Report;
use super::rule::Rule;
use crate::protocol::{Incoming, Route};

/// Our tracer's ceiling for a body.
const BODY_LIMIT: usize = 5 * 1024 * 1024;

/// Checks path, method, headers and size; `false` when the request cannot be served.
pub(crate) fn check(request: &Incoming, route: &Route, report: &mut Report) -> bool {
    if matches!(route, Route::Unknown) {
        // A browser that looks around is no tracer.
        if request.method != "GET" || request.path.starts_with("/com.instana") {
            report.text(
                Rule::Path,
                "url",
                &request.path,
                "is no path of the protocol",
            );
        }
        return false;
    }
    if !route.methods().contains(&request.method.as_str()) {
        let message = format!("the path is for {}", route.methods().join(" and "));
        report.text(Rule::Method, "method", &request.method, message);
        return false;
    }
    if request.body.length == 0 {
        return true;
    }
    content_type(request, route, report);
    if request.body.length > BODY_LIMIT {
        let size = format!("{} bytes", request.body.length);
        report.text(Rule::BodySize, "body", &size, "is above 5 MiB");
    }
    true
}

fn content_type(request: &Incoming, route: &Route, report: &mut Report) {
    let Some(sent) = request.header("content-type") else {
        let announce = matches!(route, Route::Announce { .. });
        if !(announce && report.plugin() == "golang") {
            report.missing(Rule::ContentType, "content-type");
        }
        return;
    };
    let essence = sent.split(';').next().unwrap_or_default().trim();
    let otlp = matches!(route, Route::Otlp) && essence == "application/x-protobuf";
    if !essence.eq_ignore_ascii_case("application/json") && !otlp {
        report.text(
            Rule::ContentType,
            "content-type",
            sent,
            "is not application/json",
        );
    }
}
