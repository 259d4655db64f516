//! A GraphQL service traced by Instana, a client, and an agent that shows the
//! traces: `cargo run -p example-graphql`.
#![forbid(unsafe_code)]

mod schema;

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use async_graphql_axum::{GraphQL, GraphQLSubscription};
use axum::Router;
use axum::routing::{any_service, post_service};
use instana_axum::InstanaLayer;
use instana_dev_agent::{Config, DevAgent, render};
use serde_json::json;
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Spans of what the client does.
const SPANS: usize = 10;

/// How long the traces may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Outcome<()> {
    let agent = DevAgent::start(Config::new())?;
    let guard = instana::builder()
        .service("order-desk")
        .agent(&agent.addr().to_string())
        .init()?;

    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/graphql", listener.local_addr()?);
    let server = tokio::spawn(axum::serve(listener, router()).into_future());
    call(&url).await?;
    show(&agent)?;
    server.abort();
    drop(guard);
    Ok(())
}

fn router() -> Router {
    let desk = schema::build();
    Router::new()
        .route("/graphql", post_service(GraphQL::new(desk.clone())))
        .route(
            "/subscriptions",
            any_service(GraphQLSubscription::new(desk)),
        )
        .layer(InstanaLayer::new())
}

/// A client queries, subscribes, and orders something, which its subscription then
/// reports.
async fn call(url: &str) -> Outcome<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let ask = |query: &str| {
        let body = json!({"query": query}).to_string();
        let request = client.post(url).header("content-type", "application/json");
        request.body(body)
    };
    let orders = "query Orders { orders(ids: [1, 2]) { id item price } }";
    say(&ask(orders).send().await?.text().await?)?;
    say(&ask("query Report { report }").send().await?.text().await?)?;

    let subscription = ask("subscription Ordered { ordered { id price } }");
    let mut updates = subscription
        .header(
            "accept",
            "multipart/mixed; boundary=graphql; subscriptionSpec=1.0",
        )
        .send()
        .await?;
    say(&update(&mut updates).await?)?;
    let order = "mutation Order { order(item: \"tea\") { id } }";
    say(&ask(order).send().await?.text().await?)?;
    say(&update(&mut updates).await?)
}

/// The next part of a subscription's response.
async fn update(updates: &mut reqwest::Response) -> Outcome<String> {
    let mut parts = String::new();
    loop {
        let part = updates.chunk().await?.ok_or("the subscription ended")?;
        parts += &String::from_utf8_lossy(&part);
        let update = parts.lines().find(|line| line.contains("price"));
        if let Some(update) = update.filter(|line| line.ends_with('}')) {
            return Ok(update.to_owned());
        }
    }
}

/// Prints each trace as a tree.
fn show(agent: &DevAgent) -> Outcome<()> {
    agent.wait_for_spans(SPANS, PATIENCE)?;
    for trace in agent.traces() {
        say("")?;
        say(render::tree(&trace, render::Style::plain()).trim_end())?;
    }
    Ok(agent.check()?)
}

/// Prints lines. A reader that went away is an error, not a panic.
fn say(lines: &str) -> Outcome<()> {
    Ok(writeln!(io::stdout().lock(), "{lines}")?)
}
