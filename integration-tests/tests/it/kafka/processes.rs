//! Traces through several processes, as the agent gets them.

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent};
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::{Headers, OwnedMessage};
use serde_json::{Value, json};

use super::LONG;
use super::cluster::{Cluster, beginning, unique};
use crate::app::App;

fn start(agent: &DevAgent, cluster: &Cluster, arguments: &[&str], service: &str) -> App {
    with_environment(
        agent,
        cluster,
        arguments,
        &[("INSTANA_SERVICE_NAME", service)],
    )
}

fn with_environment(
    agent: &DevAgent,
    cluster: &Cluster,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> App {
    let group = unique("group");
    let mut all = vec!["--brokers", cluster.address(), "--group", &group];
    all.extend_from_slice(arguments);
    let program = env!("CARGO_BIN_EXE_traced-kafka");
    App::of_agent(agent, program, &all, environment)
}

/// A producer, a relay and a consumer.
struct Line {
    agent: DevAgent,
    topics: [String; 2],
    apps: [App; 3],
}

impl Line {
    async fn start(cluster: &Cluster) -> Self {
        let agent = DevAgent::start(Config::new()).unwrap();
        let topics = [cluster.topic("in", 1).await, cluster.topic("out", 1).await];
        let [first, second] = &topics;
        let apps = [
            start(&agent, cluster, &["--to", first], "shop"),
            start(&agent, cluster, &["--from", first, "--to", second], "relay"),
            start(&agent, cluster, &["--from", second], "stock"),
        ];
        Self {
            agent,
            topics,
            apps,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_are_in_one_trace() {
    let cluster = Cluster::find();
    let mut line = Line::start(&cluster).await;
    assert_eq!(line.apps[0].ask("send"), "sent");
    let spans = line.agent.wait_for_spans(6, LONG).unwrap();

    let find = |service: &str, n: &str, k: u64| {
        let is =
            |span: &&Value| span["data"]["service"] == service && span["n"] == n && span["k"] == k;
        spans.iter().find(is).unwrap()
    };
    let chain = [
        (find("shop", "sdk", 1), 0),
        (find("shop", "kafka", 2), 0),
        (find("relay", "kafka", 1), 1),
        (find("relay", "kafka", 2), 1),
        (find("stock", "kafka", 1), 2),
        (find("stock", "sdk", 2), 2),
    ];
    let mut parent = &Value::Null;
    for (span, app) in chain {
        assert_eq!(span["t"], chain[0].0["t"]);
        assert_eq!(&span["p"], parent);
        assert_eq!(span["f"]["e"], line.apps[app].pid().to_string());
        assert_eq!(span["ec"], 0);
        parent = &span["s"];
    }
    let [first, second] = &line.topics;
    for (span, topic, access, service) in [
        (chain[1].0, first, "send", "shop"),
        (chain[2].0, first, "consume", "relay"),
        (chain[3].0, second, "send", "relay"),
        (chain[4].0, second, "consume", "stock"),
    ] {
        let kafka = json!({"service": topic, "access": access});
        assert_eq!(span["data"], json!({"kafka": kafka, "service": service}));
    }
    assert_eq!(spans.len(), 6);
    assert_eq!(line.agent.violations(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suppressed_chain_stays_suppressed() {
    let cluster = Cluster::find();
    let mut line = Line::start(&cluster).await;
    assert_eq!(line.apps[0].ask("send-suppressed"), "sent");
    // Behind it, one that can be seen.
    assert_eq!(line.apps[0].ask("send"), "sent");
    line.agent.wait_for_spans(6, LONG).unwrap();
    let handled = line.apps[2].ask("handled");
    assert!(
        handled == "2" || handled == "1",
        "the last is being counted"
    );
    for app in &mut line.apps {
        app.flush();
    }
    let spans = line.agent.spans();
    assert_eq!(spans.len(), 6, "{spans:?}");
    assert!(spans.iter().all(|span| span["t"] == spans[0]["t"]));
}

/// The names of the headers of a record that a producer sends.
async fn sent(answer: AnnounceAnswer, environment: &[(&str, &str)]) -> Vec<String> {
    let cluster = Cluster::find();
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    let topic = cluster.topic("orders", 1).await;
    let mut app = with_environment(&agent, &cluster, &["--to", &topic], environment);
    agent.wait_for_process(LONG).unwrap();
    // The announce's answer is in force once spans are on their way.
    assert_eq!(app.ask("send"), "sent");
    app.flush();
    assert_eq!(app.ask("send"), "sent");
    let consumer: StreamConsumer = cluster.config().create().unwrap();
    consumer.assign(&beginning(&topic)).unwrap();
    consumer.recv().await.unwrap();
    let message: OwnedMessage = consumer.recv().await.unwrap().detach();
    let headers = message.headers().unwrap();
    headers.iter().map(|header| header.key.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_chooses_the_headers() {
    let both = sent(
        AnnounceAnswer::new(),
        &[("INSTANA_KAFKA_HEADER_FORMAT", "both")],
    );
    assert_eq!(
        both.await,
        [
            "kind",
            "X_INSTANA_T",
            "X_INSTANA_S",
            "X_INSTANA_L_S",
            "X_INSTANA_C",
            "X_INSTANA_L"
        ]
    );
    let none = sent(
        AnnounceAnswer::new(),
        &[("INSTANA_KAFKA_TRACE_CORRELATION", "false")],
    );
    assert_eq!(none.await, ["kind"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_switches_them_off() {
    let answer = AnnounceAnswer::new().kafka_trace_correlation(false);
    assert_eq!(sent(answer, &[]).await, ["kind"]);
}
