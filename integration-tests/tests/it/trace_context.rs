//! The shared trace-context cases, over sockets: axum and hyper as servers,
//! reqwest and hyper as clients, HTTP/1.1 and HTTP/2.

use std::collections::HashMap;
use std::time::Duration;

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::downstream;
use crate::own_cases::own_cases;

const CASES: &str = include_str!("../../vectors/trace-context-cases.json");

/// What the agent hands out for all cases.
const SECRETS: [&str; 3] = ["password", "secret", "token"];
const HEADERS: [&str; 4] = [
    "X-Request-Header-Test-To-App",
    "X-Request-Header-App-To-Downstream",
    "X-Response-Header-Downstream-To-App",
    "X-Response-Header-App-To-Test",
];

#[test]
fn axum_and_reqwest_over_http1() {
    run_all("axum", "reqwest", "1");
}

#[test]
fn axum_and_reqwest_over_http2() {
    run_all("axum", "reqwest", "2");
}

#[test]
fn axum_and_hyper_over_http1() {
    run_all("axum", "hyper", "1");
}

#[test]
fn axum_and_hyper_over_http2() {
    run_all("axum", "hyper", "2");
}

#[test]
fn hyper_and_hyper_over_http1() {
    run_all("hyper", "hyper", "1");
}

#[test]
fn hyper_and_hyper_over_http2() {
    run_all("hyper", "hyper", "2");
}

#[test]
fn hyper_and_reqwest_over_http1() {
    run_all("hyper", "reqwest", "1");
}

#[test]
fn hyper_and_reqwest_over_http2() {
    run_all("hyper", "reqwest", "2");
}

/// All shared cases and our own, one application for each setting they need.
fn run_all(server: &str, client: &str, http: &str) {
    let shared: Vec<Map<String, Value>> = serde_json::from_str(CASES).unwrap();
    assert_eq!(shared.len(), 28);
    let mut setups: HashMap<Vec<(String, String)>, Bench> = HashMap::new();
    for case in shared.into_iter().chain(own_cases()) {
        let environment = environment(&case);
        let bench = setups
            .entry(environment.clone())
            .or_insert_with(|| Bench::new(server, client, http, &environment));
        bench.run(&Case(case));
    }
    for bench in setups.into_values() {
        bench.agent.assert_clean();
    }
}

fn environment(case: &Map<String, Value>) -> Vec<(String, String)> {
    let switch = "INSTANA_DISABLE_W3C_TRACE_CORRELATION";
    let mut variables = Vec::new();
    if let Some(value) = case.get(switch) {
        variables.push((switch.to_owned(), value.as_str().unwrap().to_owned()));
    }
    if case.contains_key("entrySpan.data.service") {
        variables.push((
            "INSTANA_SERVICE_NAME".to_owned(),
            "Tracer Test Suite Service".to_owned(),
        ));
    }
    variables
}

/// An application with its agent and its downstream.
struct Bench {
    agent: DevAgent,
    app: App,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new(server: &str, client: &str, http: &str, environment: &[(String, String)]) -> Self {
        let answer = AnnounceAnswer::new()
            .secrets("contains-ignore-case", SECRETS)
            .member("tracing", json!({"extra-http-headers": HEADERS}));
        let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
        let downstream = downstream::start().to_string();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let arguments = [
            "--server",
            server,
            "--client",
            client,
            "--http",
            http,
            "--downstream",
            &downstream,
        ];
        let app = App::for_agent(&agent, &arguments, &environment);
        // The agent's settings are in force when the process is ready.
        agent.wait_for_process(Duration::from_secs(20)).unwrap();
        agent
            .wait_for_metrics(app.pid(), 1, Duration::from_secs(20))
            .unwrap();
        let builder = reqwest::Client::builder().no_proxy();
        let builder = if http == "2" {
            builder.http2_prior_knowledge()
        } else {
            builder
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            agent,
            app,
            client: builder.build().unwrap(),
            runtime,
        }
    }

    fn run(&mut self, case: &Case) {
        self.agent.clear();
        let (timing, echoed) = self.runtime.block_on(call(
            &self.client,
            &format!("http://{}", self.app.address()),
            case,
        ));
        self.app.flush();
        let spans = self.agent.spans();
        let mut bound = Bound {
            values: HashMap::new(),
            case,
        };
        if case.0.get("suppressed") == Some(&Value::Bool(true)) {
            assert!(spans.is_empty(), "{}: {spans:#?}", case.name());
            assert_eq!(timing, None, "{}: Server-Timing", case.name());
        } else {
            assert_eq!(spans.len(), 2, "{}: {spans:#?}", case.name());
            bound.span("entrySpan", &spans, 1);
            bound.span("exitSpan", &spans, 2);
            bound.check("Server-Timing", timing.as_deref());
        }
        for header in [
            "X-INSTANA-T",
            "X-INSTANA-S",
            "X-INSTANA-L",
            "traceparent",
            "tracestate",
        ] {
            let seen = echoed.get(&header.to_lowercase()).and_then(Value::as_str);
            bound.check(&format!("{header} out"), seen);
        }
        for header in ["X-INSTANA-SYNTHETIC", "Server-Timing"] {
            assert!(
                !echoed.contains_key(&header.to_lowercase()),
                "{}: {header} goes out",
                case.name()
            );
        }
    }
}

/// Calls the application: `Server-Timing` of its answer, and what reached the
/// downstream.
async fn call(
    client: &reqwest::Client,
    url: &str,
    case: &Case,
) -> (Option<String>, Map<String, Value>) {
    let query = case
        .text("query in")
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut request = client.get(format!("{url}/start{query}"));
    for name in [
        "X-INSTANA-T",
        "X-INSTANA-S",
        "X-INSTANA-L",
        "X-INSTANA-SYNTHETIC",
        "traceparent",
        "tracestate",
    ] {
        for key in [format!("{name} in"), format!("{name} in again")] {
            if let Some(value) = case.text(&key) {
                request = request.header(name, value);
            }
        }
    }
    for header in case
        .text("request headers in")
        .into_iter()
        .flat_map(|list| list.split(", "))
    {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{}", case.name());
    assert!(
        response.headers().get("x-instana-t").is_none(),
        "{}: ids in the response",
        case.name()
    );
    let timing = response
        .headers()
        .get("server-timing")
        .map(|value| value.to_str().unwrap().to_owned());
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    (timing, body.as_object().unwrap().clone())
}

struct Case(Map<String, Value>);

impl Case {
    fn name(&self) -> String {
        let index = self
            .0
            .get("index")
            .map(|index| format!("case {index}: "))
            .unwrap_or_default();
        format!("{index}{}", self.0["Scenario"].as_str().unwrap())
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }
}

/// Placeholders such as `$new_span_id_1`: bound when first seen, the same from
/// then on.
struct Bound<'a> {
    values: HashMap<String, String>,
    case: &'a Case,
}

impl Bound<'_> {
    /// Checks one span: every field of the case, and the absence of the others.
    fn span(&mut self, prefix: &str, spans: &[Value], kind: u64) {
        let span = spans.iter().find(|span| span["k"] == kind).unwrap();
        for field in ["t", "s", "p", "lt", "crid", "crtp"] {
            self.check(&format!("{prefix}.{field}"), span[field].as_str());
        }
        for field in ["tp", "sy", "ia"] {
            let expected = self.case.0.get(&format!("{prefix}.{field}"));
            assert_eq!(
                span.get(field),
                expected,
                "{}: {prefix}.{field}",
                self.case.name()
            );
        }
        let service = span.pointer("/data/service").and_then(Value::as_str);
        // The configured name is on every span; the cases tell of the entry's.
        self.check("entrySpan.data.service", service);
        if let Some(expected) = self.case.text(&format!("{prefix}.params")) {
            assert_eq!(
                span.pointer("/data/http/params").and_then(Value::as_str),
                Some(expected)
            );
        }
        if let Some(expected) = self.case.text(&format!("{prefix}.headers")) {
            let (name, value) = expected.split_once(": ").unwrap();
            let header = &span["data"]["http"]["header"][name.to_lowercase()];
            assert_eq!(
                header.as_str(),
                Some(value),
                "{}: {span:#}",
                self.case.name()
            );
        }
        // Those that both sides send are captured in every case.
        let captured = if kind == 1 {
            "x-response-header-app-to-test"
        } else {
            "x-response-header-downstream-to-app"
        };
        assert!(
            span["data"]["http"]["header"][captured].is_string(),
            "{}: {span:#}",
            self.case.name()
        );
        assert_eq!(span["data"]["http"]["status"], 200);
        assert_eq!(span["ec"], 0);
    }

    /// Compares with what the case expects; a missing key means absence.
    fn check(&mut self, key: &str, seen: Option<&str>) {
        let expected = self.case.text(key);
        let name = self.case.name();
        let (Some(expected), Some(seen)) = (expected, seen) else {
            assert_eq!(seen, expected, "{name}: {key}");
            return;
        };
        let filled = self.fill(expected, seen);
        assert_eq!(seen, filled, "{name}: {key}");
    }

    /// `expected` with its placeholders replaced; one that is not bound yet takes
    /// the 16 characters that stand there in `seen`.
    fn fill(&mut self, expected: &str, seen: &str) -> String {
        let mut filled = String::new();
        let mut rest = expected;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            let end = rest[at + 1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let end = end.map_or(rest.len(), |end| at + 1 + end);
            let placeholder = &rest[at..end];
            let here = seen
                .get(filled.len()..filled.len() + 16)
                .unwrap_or_default()
                .to_owned();
            let value = self.values.entry(placeholder.to_owned()).or_insert(here);
            filled.push_str(value);
            rest = &rest[end..];
        }
        filled + rest
    }
}
