//! Settings of a real process: environment, file and agent.

use std::path::PathBuf;
use std::time::Duration;

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent};
use serde_json::json;

use crate::app::App;

/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(30);

/// A path of this test, removed when it is over.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let name = format!("instana-it-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[test]
fn environment_file_agent_and_default_each_have_their_part() {
    let file = Temporary::new("settings.yaml");
    let yaml = "tracing:\n  extra-http-headers: [x-file]\n  kafka: {header-format: xml}\n";
    std::fs::write(&file.0, yaml).unwrap();
    let answer = AnnounceAnswer::new()
        .extra_headers(["x-agent"])
        .tracing(json!({"kafka": {"header-format": "both"}, "disable": ["logging"]}));
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    let environment = [
        ("INSTANA_CONFIG_PATH", file.path()),
        ("INSTANA_SERVICE_NAME", "shop"),
        ("INSTANA_TRACING_DISABLE", "redis"),
        ("INSTANA_DISABLE_METRICS_COLLECTION", "true"),
    ];
    let mut app = App::for_agent(&agent, &[], &environment);
    let metrics = agent.wait_for_metrics(app.pid(), 2, LONG).unwrap();
    assert_eq!(metrics[1]["metrics"], json!({}));
    let status = app.ask("status");
    for part in [
        "| setting    service = shop (INSTANA_SERVICE_NAME) |".to_owned(),
        "| setting    disable = redis (INSTANA_TRACING_DISABLE) |".to_owned(),
        format!("| setting    extra_headers = x-file ({}:2) |", file.path()),
        "| setting    kafka_header_format = both (agent) |".to_owned(),
        "| setting    plugin = rust (default) |".to_owned(),
        format!(
            "| problem    {}:3: tracing.kafka.header-format=\"xml\" is not",
            file.path()
        ),
    ] {
        assert!(status.contains(&part), "{part} in {status}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_as_configuration_keeps_nobody_waiting() {
    let pipe = Temporary::new("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe.0).status();
    assert!(made.unwrap().success());
    for path in [pipe.path(), "/dev/zero", "/nowhere"] {
        let environment = [
            ("INSTANA_AGENT_PORT", "1"),
            ("INSTANA_CONFIG_PATH", path),
            ("INSTANA_IGNORE_ENDPOINTS_PATH", path),
        ];
        let mut app = App::start(&[], &environment);
        let status = app.ask("status");
        for name in ["INSTANA_CONFIG_PATH", "INSTANA_IGNORE_ENDPOINTS_PATH"] {
            let part = format!("problem    {name}=\"{path}\" is not a file that can be used (");
            assert!(status.contains(&part), "{part} in {status}");
        }
        assert_eq!(app.ask("entries 1"), "done");
    }
}
