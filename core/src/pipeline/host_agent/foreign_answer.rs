//! Answers that no agent gives: of a proxy, a web server or a captive portal that stands in
//! the agent's place, for a while or for good. They may say 200, and are no success.
//!
//! Agents answer with JSON, with a short text or with nothing (docs/PROTOCOL.md,
//! "Requests"). Their errors may be pages of their HTTP server, so only what says that all
//! went well is looked at, and redirects.

use crate::pipeline::host_agent::http::Response;

/// The longest part of a text that is looked at, in bytes.
const LOOKED_AT: usize = 1024;

/// Names that begin the `Server` of web servers and proxies.
const SERVERS: &[&str] = &[
    "akamai",
    "apache",
    "awselb",
    "caddy",
    "cloudflare",
    "cloudfront",
    "envoy",
    "ghs",
    "gse",
    "gunicorn",
    "gws",
    "istio",
    "kestrel",
    "lighttpd",
    "litespeed",
    "microsoft-iis",
    "nginx",
    "openresty",
    "simplehttp",
    "squid",
    "tengine",
    "traefik",
    "uvicorn",
    "varnish",
    "werkzeug",
    "zscaler",
];

/// What of an answer no agent says, to continue a sentence; `None`: it may be an agent's.
/// `server` is the `Server` of the answer by which the agent was found: a proxy on the way
/// to it writes its own there, into each answer.
pub(crate) fn evidence(answer: &Response, server: &str) -> Option<&'static str> {
    match answer.status {
        200..=299 => {}
        300..=399 => return Some("with a redirect"),
        407 | 511 => return Some("as a proxy or a network that wants a login"),
        _ => return None,
    }
    let body = text(&answer.body);
    if body.starts_with('<') {
        return Some("with a page");
    }
    let has_body = answer.has_body || !answer.body.is_empty();
    if has_body && is_page(&answer.content_type) {
        return Some("with a page");
    }
    let is_other = answer.server != server;
    if is_other && SERVERS.iter().any(|name| answer.server.starts_with(name)) {
        return Some("as another server");
    }
    None
}

/// Whether an answer, whatever its status, says that the request was too large.
pub(crate) fn is_too_large(answer: &Response) -> bool {
    let says = |words: &str| {
        let body = String::from_utf8_lossy(text(&answer.body).as_bytes()).to_ascii_lowercase();
        body.contains(words)
    };
    match answer.status {
        413 => true,
        400 | 422 | 500 => [
            "too large",
            "too big",
            "too long",
            "exceed",
            "size limit",
            "maximum size",
            "max size",
        ]
        .iter()
        .any(|words| says(words)),
        _ => false,
    }
}

fn is_page(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let known = [
        "application/javascript",
        "application/xhtml+xml",
        "application/xml",
        "text/css",
        "text/html",
        "text/javascript",
        "text/xml",
    ];
    known.contains(&kind)
        || ["audio/", "font/", "image/", "video/"]
            .iter()
            .any(|of| kind.starts_with(of))
}

/// The beginning of a body, as far as it is text.
fn text(body: &[u8]) -> &str {
    let body = body.get(..LOOKED_AT).unwrap_or(body);
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let valid = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => {
            let valid = body.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    valid.trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, server: &str, body: &str) -> Response {
        Response {
            status,
            body: body.as_bytes().to_vec(),
            has_body: !body.is_empty(),
            content_type: content_type.to_owned(),
            server: server.to_owned(),
        }
    }

    #[test]
    fn what_no_agent_says() {
        #[rustfmt::skip]
        let table = [
            // Agents, as recorded or as tracers expect them.
            (answer(200, "", "", ""), None),
            (answer(204, "", "", ""), None),
            (answer(200, "application/json", "", "[]"), None),
            (answer(200, "application/json; charset=utf-8", "", r#"{"version":"1"}"#), None),
            (answer(200, "text/plain", "", "OK"), None),
            (answer(200, "", "instana agent", "{}"), None),
            (answer(200, "", "jetty(9.4)", ""), None),
            (answer(200, "text/html", "", ""), None),
            (answer(404, "text/html", "", "<html>Error 404</html>"), None),
            (answer(503, "text/html", "nginx", "<html>busy</html>"), None),
            (answer(200, "application/json", "", "{\"text\":\"<html>\"}"), None),
            // Others.
            (answer(200, "text/html", "", "hello"), Some("with a page")),
            (answer(200, "text/html; charset=utf-8", "", "It works"), Some("with a page")),
            (answer(200, "", "", "<html>proxy</html>"), Some("with a page")),
            (answer(200, "", "", "\u{feff} \r\n <!DOCTYPE html>"), Some("with a page")),
            (answer(201, "application/json", "", "<?xml version='1.0'?>"), Some("with a page")),
            (answer(200, "application/xhtml+xml", "", "x"), Some("with a page")),
            (answer(200, "image/gif", "", "GIF89a"), Some("with a page")),
            (answer(301, "", "", ""), Some("with a redirect")),
            (answer(302, "text/html", "", "<html>"), Some("with a redirect")),
            (answer(304, "", "", ""), Some("with a redirect")),
            (answer(307, "", "", "{}"), Some("with a redirect")),
            (answer(407, "", "squid", ""), Some("as a proxy or a network that wants a login")),
            (answer(511, "", "", ""), Some("as a proxy or a network that wants a login")),
            (answer(200, "", "nginx/1.27", ""), Some("as another server")),
            (answer(204, "", "cloudflare", ""), Some("as another server")),
            (answer(200, "application/json", "microsoft-iis/10", "[]"), Some("as another server")),
        ];
        for (answer, expected) in table {
            assert_eq!(evidence(&answer, ""), expected, "{answer:?}");
        }
        let declared = Response {
            has_body: true,
            ..answer(200, "text/html", "", "")
        };
        assert_eq!(evidence(&declared, ""), Some("with a page"), "HEAD");
    }

    #[test]
    fn a_proxy_on_the_way_to_the_agent_is_no_other_server() {
        let through = answer(200, "application/json", "envoy", "[]");
        assert_eq!(evidence(&through, "envoy"), None);
        assert_eq!(evidence(&through, ""), Some("as another server"));
        let page = answer(200, "text/html", "envoy", "<html>");
        assert_eq!(evidence(&page, "envoy"), Some("with a page"));
    }

    #[test]
    fn what_is_too_large() {
        for (status, body, expected) in [
            (413, "", true),
            (413, "<html>413 Request Entity Too Large</html>", true),
            (400, "Payload Too Large", true),
            (400, "request body exceeds 1048576 bytes", true),
            (422, r#"{"error":"message too long"}"#, true),
            (500, "Maximum size is 2 MiB", true),
            (400, "", false),
            (400, "unknown pid", false),
            (404, "too large", false),
            (431, "", false),
            (500, "", false),
            (200, "too large", false),
        ] {
            let answer = answer(status, "", "", body);
            assert_eq!(is_too_large(&answer), expected, "{answer:?}");
        }
    }
}
