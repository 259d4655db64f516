//! async-graphql behind axum: what the agent gets of operations.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use instana_dev_agent::{Config, DevAgent};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::app::App;

const LONG: Duration = Duration::from_secs(30);

/// An order desk and its agent.
fn start() -> (DevAgent, App) {
    let agent = DevAgent::start(Config::new()).unwrap();
    let arguments = ["--server", "axum", "--downstream", "127.0.0.1:1"];
    let app = App::for_agent(&agent, &arguments, &[("INSTANA_SERVICE_NAME", "desk")]);
    (agent, app)
}

/// The response to a request, as the client of a running trace makes it.
async fn post(app: &App, path: &str, body: &Value) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client
        .post(format!("http://{}{path}", app.address()))
        .header("content-type", "application/json")
        .header("X-INSTANA-T", "8448eb211c80319c")
        .header("X-INSTANA-S", "37cb2d6e9b1c078a")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn query(query: &str) -> Value {
    json!({"query": query})
}

/// The spans with this name.
fn named<'s>(spans: &'s [Value], name: &str) -> Vec<&'s Value> {
    spans.iter().filter(|span| span["n"] == name).collect()
}

#[tokio::test]
async fn an_operation_is_one_span_with_its_request() {
    let (agent, app) = start();
    let body = json!({
        "query": "query Order($id: Int!) { order(id: $id) { id item } missing }",
        "variables": {"id": 7},
    });
    let response = post(&app, "/graphql", &body).await;
    assert_eq!(response["data"]["order"], json!({"id": 7, "item": "tea"}));

    let spans = agent.wait_for_spans(2, LONG).unwrap();
    let mut entry = named(&spans, "graphql.server")[0].clone();
    let exit = named(&spans, "sdk")[0];
    assert_eq!(exit["p"], entry["s"]);
    let members = entry.as_object_mut().unwrap();
    for varying in ["s", "ts", "d", "f"] {
        assert!(members.remove(varying).is_some(), "{varying}");
    }
    assert_eq!(
        entry,
        json!({
            "t": "8448eb211c80319c", "p": "37cb2d6e9b1c078a", "n": "graphql.server", "k": 1, "ec": 1,
            "data": {
                "service": "desk",
                "http": {
                    "method": "POST", "host": app.address().to_string(), "path": "/graphql",
                    "status": 200,
                },
                "graphql": {
                    "operationName": "Order", "operationType": "query",
                    "fields": {"order": ["id", "item"], "missing": []},
                    "args": {"order": ["id"]},
                    "errors": "no such order at https://<redacted>:<redacted>@orders/",
                },
            },
        })
    );
    agent.assert_clean();
}

#[tokio::test]
async fn errors_are_those_of_graphql_whatever_the_status() {
    let (agent, app) = start();
    post(
        &app,
        "/graphql/500",
        &query("query Good { order(id: 1) { id } }"),
    )
    .await;
    post(
        &app,
        "/graphql/500",
        &query("query Bad { a: missing b: missing }"),
    )
    .await;
    post(&app, "/graphql", &query("query Wrong { nothing }")).await;
    post(&app, "/graphql", &query("query Broken {")).await;
    let spans = agent.wait_for_spans(5, LONG).unwrap();
    let mut errors: Vec<_> = named(&spans, "graphql.server")
        .iter()
        .map(|span| {
            let data = &span["data"];
            (
                data["graphql"]["operationName"].as_str(),
                data["http"]["status"].as_u64().unwrap(),
                span["ec"].as_u64().unwrap(),
            )
        })
        .collect();
    errors.sort_unstable();
    assert_eq!(
        errors,
        [
            (None, 200, 1),
            (Some("Bad"), 500, 2),
            (Some("Good"), 500, 0),
            (Some("Wrong"), 200, 1),
        ]
    );
    agent.assert_clean();
}

#[tokio::test]
async fn a_batch_is_one_entry() {
    let (agent, app) = start();
    let batch = json!([
        {"query": "query First { order(id: 1) { id } }"},
        {"query": "query Second { missing }"},
    ]);
    let response = post(&app, "/graphql", &batch).await;
    assert_eq!(response.as_array().unwrap().len(), 2);
    let spans = agent.wait_for_spans(3, LONG).unwrap();
    let entry = named(&spans, "graphql.server")[0];
    assert_eq!(entry["data"]["graphql"]["operationName"], "First");
    assert_eq!(entry["ec"], 1);
    let second = spans.iter().find(|span| span["k"] == 3).unwrap();
    assert_eq!(second["p"], entry["s"]);
    assert_eq!(
        second["data"]["sdk"]["custom"]["tags"]["operation"],
        "query Second"
    );
    agent.assert_clean();
}

#[tokio::test]
async fn a_client_that_leaves_leaves_an_error() {
    let (agent, app) = start();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(format!("http://{}/graphql", app.address()))
        .header("content-type", "application/json")
        .body(query("query Forever { forever }").to_string())
        .timeout(Duration::from_millis(300))
        .send();
    assert!(request.await.is_err());
    let spans = agent.wait_for_spans(1, LONG).unwrap();
    let graphql = &spans[0]["data"]["graphql"];
    assert_eq!(graphql["operationName"], "Forever");
    let error = graphql["errors"].as_str().unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
    assert_eq!(spans[0]["ec"], 1);
}

#[tokio::test]
async fn events_over_a_websocket_are_below_what_published_them() {
    let (agent, app) = start();
    let url = format!("ws://{}/graphql/ws", app.address());
    let mut request = url.into_client_request().unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = connect_async(request).await.unwrap();
    let query_text = "subscription Ordered { ordered { id } }";
    for message in [
        json!({"type": "connection_init"}),
        json!({"type": "subscribe", "id": "1", "payload": {"query": query_text}}),
    ] {
        socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }
    let mut next = async || loop {
        let message = socket.next().await.unwrap().unwrap();
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if message["type"] == "next" {
            return message["payload"]["data"]["ordered"]["id"].clone();
        }
    };
    assert_eq!(next().await, 0);
    let response = post(&app, "/graphql", &query("mutation Order { order(id: 5) }")).await;
    assert_eq!(response["data"]["order"], 1);
    assert_eq!(next().await, 5);

    // The upgrade, the subscription, the mutation, and two events.
    let spans = agent.wait_for_spans(5, LONG).unwrap();
    let upgrade = named(&spans, "g.http")[0];
    assert_eq!(upgrade["data"]["http"]["status"], 101);
    let operation = |kind: &str| {
        let is_it = |span: &&&Value| span["data"]["graphql"]["operationType"] == kind;
        let entries = named(&spans, "graphql.server");
        (*entries.iter().find(is_it).unwrap()).clone()
    };
    let (subscription, mutation) = (operation("subscription"), operation("mutation"));
    let parents: Vec<_> = named(&spans, "graphql.client")
        .iter()
        .map(|event| (event["t"].clone(), event["p"].clone()))
        .collect();
    assert_eq!(parents.len(), 2);
    for entry in [&subscription, &mutation] {
        let parent = (entry["t"].clone(), entry["s"].clone());
        assert!(parents.contains(&parent), "{parent:?} of {parents:?}");
    }
    let event = named(&spans, "graphql.client")[0];
    assert_eq!(
        event["data"]["graphql"],
        json!({
            "operationName": "Ordered", "operationType": "subscription-update",
            "fields": {"ordered": ["id"]},
        })
    );
    agent.assert_clean();
}
