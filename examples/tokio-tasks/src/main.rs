//! Tasks in one trace, and the figures of their runtime: `cargo run -p tokio-tasks`.
#![forbid(unsafe_code)]

mod jobs;

use std::error::Error;
use std::time::Duration;

use instana::FutureExt;
use instana_dev_agent::{Config, DevAgent, Process, render};
use instana_tokio::RuntimeMetrics;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// How long the agent waits for what is sent to it.
const PATIENCE: Duration = Duration::from_secs(20);
/// The job, six calls and one span below it.
const SPANS: usize = 8;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = DevAgent::start(Config::new())?;
    let guard = instana::builder()
        .agent(&agent.addr().to_string())
        .service("tokio-tasks")
        .init()?;
    RuntimeMetrics::new(&Handle::current()).register();
    let done = instana::counter("jobs", "jobs");

    let (sender, messages) = mpsc::channel(8);
    let worker = tokio::spawn(jobs::work(messages));
    let late = jobs::job(sender)
        .in_span(instana::entry_span("job"))
        .await?;
    done.increment();
    late.await?;
    worker.await?;

    agent.wait_for_spans(SPANS, PATIENCE)?;
    let process = agent.wait_for_process(PATIENCE)?;
    let metrics = process.metrics().len() as u64;
    agent.wait_for_metrics(process.pid(), metrics + 2, PATIENCE)?;
    show(&agent, &process);
    drop(guard);
    Ok(())
}

fn show(agent: &DevAgent, process: &Process) {
    for trace in agent.view(|view| view.traces()) {
        println!("{}", render::tree(&trace, render::Style::plain()));
    }
    let bodies = agent.view(|view| view.metrics(process.pid()));
    let Some(metrics) = bodies.last() else { return };
    for (title, path) in [
        ("The runtime", "/metrics/sources/tokio"),
        ("The application", "/metrics/custom"),
    ] {
        println!("{title}");
        let readings = metrics.pointer(path).and_then(Value::as_object);
        for (name, reading) in readings.into_iter().flatten() {
            let value = reading.get("gauge").or_else(|| reading.get("counter"));
            let unit = reading.get("unit").and_then(Value::as_str);
            println!(
                "  {name:<24}{:>10} {}",
                value.unwrap_or(&Value::Null).to_string(),
                unit.unwrap_or_default()
            );
        }
    }
}
