//! Agent, broker, processes, and what the agent saw of them.

use std::process::{self, Stdio};
use std::time::Duration;

use instana_dev_agent::{Config, DevAgent, render};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::producer::ORDERS;
use crate::{Outcome, config, environment, say};

/// How long the group may take to share the partitions, and the spans to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of an order: the order, sent, consumed, packed.
const SPANS: usize = 4;

pub(crate) async fn run() -> Outcome<()> {
    let agent = DevAgent::start(Config::new())?;
    let topic = format!("orders-{}", process::id());
    let (brokers, _own) = brokers(&topic).await?;
    say(&format!(
        "broker   {brokers}\ntopic    {topic}, 2 partitions"
    ))?;

    let mut workers = [
        start(&agent, "consumer", &brokers, &topic)?,
        start(&agent, "consumer", &brokers, &topic)?,
    ];
    // Until each has one of the two.
    let shared = async {
        for (_, lines) in &mut workers {
            while lines.next_line().await?.ok_or("a worker ended")? != "1" {}
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    };
    timeout(PATIENCE, shared)
        .await
        .map_err(|_| "the workers did not share the partitions")??;
    let (mut shop, _) = start(&agent, "producer", &brokers, &topic)?;
    if !shop.wait().await?.success() {
        return Err("the shop failed".into());
    }
    report(&agent)?;
    for (mut worker, _) in workers {
        drop(worker.stdin.take());
        worker.wait().await?;
    }
    Ok(())
}

fn report(agent: &DevAgent) -> Outcome<()> {
    agent.wait_for_spans(ORDERS.len() * SPANS, PATIENCE)?;
    for trace in agent.traces() {
        let tree = render::tree(&trace, render::Style::plain());
        say(&format!("\n{}", tree.trim_end()))?;
    }
    let map = agent.service_map();
    for edge in &map.edges {
        say(&format!(
            "\n{} → {}: {} records",
            edge.from, edge.to, edge.calls
        ))?;
    }
    agent.check()?;
    Ok(())
}

type Mock = MockCluster<'static, DefaultProducerContext>;

/// The brokers of `KAFKA_BROKERS`, or librdkafka's mock broker with the topic, which ends
/// when the returned value is dropped.
async fn brokers(topic: &str) -> Outcome<(String, Option<Mock>)> {
    if let Some(brokers) = environment::brokers() {
        create(&brokers, topic).await?;
        return Ok((brokers, None));
    }
    let mock = MockCluster::new(1)?;
    mock.create_topic(topic, 2, 1)?;
    Ok((mock.bootstrap_servers(), Some(mock)))
}

async fn create(brokers: &str, topic: &str) -> Outcome<()> {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create()?;
    let new = NewTopic::new(topic, 2, TopicReplication::Fixed(1));
    for created in admin.create_topics([&new], &AdminOptions::new()).await? {
        created.map_err(|(topic, error)| format!("{topic} cannot be created: {error}"))?;
    }
    Ok(())
}

type Running = (Child, Lines<BufReader<ChildStdout>>);

/// A process of this program that reports to the agent.
fn start(agent: &DevAgent, role: &str, brokers: &str, topic: &str) -> Outcome<Running> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([role, brokers, topic])
        .env("INSTANA_AGENT_HOST", agent.addr().ip().to_string())
        .env("INSTANA_AGENT_PORT", agent.addr().port().to_string())
        .env_remove("INSTANA_SERVICE_NAME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().ok_or("a child without output")?;
    Ok((child, BufReader::new(stdout).lines()))
}
