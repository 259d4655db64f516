//! The first command of the README, as a script would use it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected ends there"
)]

use std::process::{Command, Output};

use instana_dev_agent::{Config, DevAgent, Fault, Matcher, RequestKind, What};
use serde_json::Value;

fn shop(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    // Nothing listens on port 1, so the shop starts an agent of its own.
    Command::new(env!("CARGO_BIN_EXE_shop"))
        .args(arguments)
        .env("INSTANA_AGENT_PORT", "1")
        .env("INSTANA_AGENT_HOST", "127.0.0.1")
        // Without servers.
        .env_remove("POSTGRES_URL")
        .env_remove("REDIS_URL")
        .env_remove("KAFKA_BROKERS")
        .envs(environment.iter().copied())
        .output()
        .expect("the shop starts")
}

#[test]
fn three_processes_with_metrics_and_traces_over_three_services() {
    let output = shop(&["--json"], &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["agent"]["kind"], "dev");
    assert_eq!(report["violations"], Value::Array(Vec::new()));

    let processes = report["processes"].as_array().unwrap();
    let mut services: Vec<_> = processes
        .iter()
        .map(|process| process["service"].as_str().unwrap())
        .collect();
    services.sort_unstable();
    assert_eq!(services, ["catalogue", "pricing", "storefront"]);
    for process in processes {
        assert!(process["metrics_count"].as_u64().unwrap() >= 2, "{process}");
        assert!(
            process["snapshot"]["version"]
                .as_str()
                .unwrap()
                .starts_with("rustc "),
            "{process}"
        );
        assert_eq!(process["plugin"], "rust");
    }

    let traces = report["traces"].as_array().unwrap();
    assert_eq!(traces.len(), 16);
    let three = traces.iter().filter(|trace| {
        let spans = trace["spans"].as_array().unwrap();
        services
            .iter()
            .all(|service| spans.iter().any(|span| span["data"]["service"] == *service))
    });
    assert!(three.count() >= 10);
    check_spans(traces);

    // Beside what a busy machine may have stopped.
    let slow = report["slow_polls"].as_array().unwrap();
    let blocks = |poll: &&Value| {
        poll["service"] == "pricing"
            && poll["place"] == "GET /price/{id}"
            && poll["ms"].as_f64().unwrap() >= 249.0
    };
    assert!(slow.iter().any(|poll| blocks(&poll)), "{slow:?}");

    let edges = report["map"]["edges"].as_array().unwrap();
    assert!(
        edges
            .iter()
            .any(|edge| edge["from"] == "storefront" && edge["to"] == "catalogue"),
        "{edges:?}"
    );
}

/// The load's special cases, each by what it leaves.
fn check_spans(traces: &[Value]) {
    let spans: Vec<&Value> = traces
        .iter()
        .flat_map(|trace| trace["spans"].as_array().unwrap())
        .collect();
    let entries = |tpl: &str, status: u64| {
        spans
            .iter()
            .filter(|span| span["k"] == 1)
            .filter(|span| {
                span["data"]["http"]["path_tpl"] == tpl && span["data"]["http"]["status"] == status
            })
            .count()
    };
    assert_eq!(entries("/products/{id}", 404), 2);
    assert_eq!(entries("/products/{id}", 500), 1);
    assert_eq!(entries("/items/{id}", 502), 1);
    let errors: Vec<_> = spans
        .iter()
        .filter_map(|span| span["data"]["http"]["error"].as_str())
        .collect();
    let cancelled = errors
        .iter()
        .filter(|error| error.starts_with("cancelled after "))
        .count();
    assert_eq!(
        cancelled, 5,
        "three entries and the exits between them: {errors:?}"
    );
    let offers = spans
        .iter()
        .find(|span| span["data"]["http"]["path"] == "/offers")
        .unwrap();
    assert!(
        offers["d"].as_u64().unwrap() >= 200,
        "the entry ends with its body: {offers}"
    );
    assert!(
        !spans
            .iter()
            .any(|span| span.to_string().contains("not-for-everyone")),
        "the API key is redacted"
    );
    let items: Vec<_> = spans
        .iter()
        .filter(|span| span["k"] == 1 && span["data"]["http"]["path_tpl"] == "/items/{id}")
        .collect();
    assert_eq!(items.len(), 13);
    for item in items {
        let below = spans.iter().filter(|span| span["p"] == item["s"]);
        let tags = below.filter_map(|span| span.pointer("/data/sdk/custom/tags"));
        let statements: Vec<_> = tags.map(|tags| &tags["db.statement"]).collect();
        assert_eq!(
            statements,
            ["SELECT name FROM goods WHERE id = $1"],
            "{item}"
        );
    }
    let search = spans
        .iter()
        .find(|span| span["data"]["http"]["path"] == "/search")
        .unwrap();
    assert_eq!(
        search["data"]["http"]["params"],
        "q=lamp&api_key=<redacted>"
    );
}

#[test]
fn for_people_it_shows_processes_map_and_three_trees() {
    let output = shop(&[], &[("NO_COLOR", "1")]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "Processes",
        "Service map",
        "storefront → catalogue",
        "0 protocol violations",
        "/products/{id}",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert_eq!(text.matches('●').count(), 3, "{text}");
    assert!(
        !text.contains('\u{1b}'),
        "no colours when they are not wanted"
    );
}

#[test]
fn proxies_and_a_service_name_of_the_environment_do_not_disturb() {
    let nowhere = "http://127.0.0.1:1";
    let environment = [
        ("HTTP_PROXY", nowhere),
        ("http_proxy", nowhere),
        ("ALL_PROXY", nowhere),
        ("INSTANA_SERVICE_NAME", "mine"),
    ];
    let output = shop(&["--json"], &environment);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let services = &report["map"]["services"];
    assert_eq!(
        services,
        &serde_json::json!(["catalogue", "pricing", "storefront"])
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_a_terminal_closes_the_shop() {
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::process::CommandExt;
    use std::process::Stdio;

    let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"))
        .arg("--serve")
        .env("INSTANA_AGENT_PORT", "1")
        .env_remove("POSTGRES_URL")
        .env_remove("REDIS_URL")
        .env_remove("KAFKA_BROKERS")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(shop.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("The shop stays open")));
    // A terminal tells all processes of the group.
    let group = format!("kill -s INT -- -{}", shop.id());
    assert!(
        Command::new("sh")
            .args(["-c", &group])
            .status()
            .unwrap()
            .success()
    );
    let status = shop.wait().unwrap();
    let mut trouble = String::new();
    shop.stderr
        .take()
        .unwrap()
        .read_to_string(&mut trouble)
        .unwrap();
    // What blocks on purpose is told of.
    let is_expected = |line: &str| line.contains("/price/{id}: one poll took");
    assert!(
        status.success() && trouble.lines().all(is_expected),
        "{status} {trouble}"
    );
}

#[test]
fn a_wrong_option_is_explained() {
    let output = shop(&["--jsno"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("--jsno") && text.contains("--json"), "{text}");
}

#[test]
fn with_a_host_agent_the_processes_are_listed_and_the_rest_is_seen_there() {
    let agent = DevAgent::start(Config::new()).unwrap();
    // A host agent says its version, and not that it is for development.
    let lookup = What::Body(r#"{"version":"1.1.999"}"#.to_owned());
    agent.fault(Fault::new(Matcher::kind(RequestKind::Lookup), lookup));
    let port = agent.addr().port().to_string();
    let environment = [("INSTANA_AGENT_PORT", port.as_str())];

    let output = shop(&["--json"], &environment);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["agent"]["kind"], "host");
    assert_eq!(report["processes"].as_array().unwrap().len(), 3);
    assert_eq!(report["traces"], Value::Array(Vec::new()));

    let output = shop(&[], &environment);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("forwards traces"),
        "{text}"
    );
    assert_eq!(
        agent.spans().len(),
        2 * 97,
        "both loads arrived when the shop had ended"
    );
}
