//! Asks a dev agent what it saw.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;

/// The dev agent answers a wait after this time at the latest.
const STEP: Duration = Duration::from_millis(500);

pub(crate) struct Query {
    client: reqwest::Client,
    url: String,
}

impl Query {
    pub(crate) fn new(url: String) -> Outcome<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { client, url })
    }

    /// The JSON at a path below `/dev/`.
    pub(crate) async fn get(&self, path: &str) -> Outcome<Value> {
        let response = self
            .client
            .get(format!("{}/dev/{path}", self.url))
            .send()
            .await?
            .error_for_status()?;
        let text = response.text().await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The array `key` of the JSON at a path.
    pub(crate) async fn list(&self, path: &str, key: &str) -> Outcome<Vec<Value>> {
        match self.get(path).await?.get_mut(key).map(Value::take) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(format!("the dev agent's answer to {path} has no {key}").into()),
        }
    }

    /// Calls `look` until it finds what it waits for, or until the timeout; returns
    /// whether it was found.
    pub(crate) async fn until<T>(
        &self,
        patience: Duration,
        mut look: impl AsyncFnMut(&Self) -> Outcome<(T, bool)>,
    ) -> Outcome<(T, bool)> {
        let start = Instant::now();
        loop {
            let (found, complete) = look(self).await?;
            if complete || start.elapsed() > patience {
                return Ok((found, complete));
            }
            tokio::time::sleep(STEP).await;
        }
    }
}
