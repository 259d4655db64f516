//! Handles orders from the queue: asks what the goods cost.

use std::net::SocketAddr;

use crate::{Outcome, queue};

pub(super) async fn serve(topic: Option<&str>, pricing: SocketAddr) -> Outcome<()> {
    let client = super::client()?;
    queue::work(topic, |id| handle(client.clone(), pricing, id)).await
}

async fn handle(client: instana_reqwest::Client, pricing: SocketAddr, id: String) {
    let asked = client
        .get(format!("http://{pricing}/price/{id}"))
        .path_template("/price/{id}")
        .send()
        .await;
    if let Err(error) = asked {
        instana::current(|entry| entry.record_error(&error));
    }
}
