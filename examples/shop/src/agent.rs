//! The agent the services report to: one that runs already, or our own.

use std::time::Duration;

use instana_dev_agent::{Config, DevAgent};
use serde_json::Value;

use crate::{Outcome, environment};

/// How long an agent may take to say that it is one.
const ANSWER: Duration = Duration::from_secs(2);

pub(crate) struct Agent {
    host: String,
    port: u16,
    kind: Kind,
    /// Ends with us.
    _own: Option<DevAgent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A dev agent: what it saw can be asked for.
    Dev,
    /// Instana's host agent: what it saw is in Instana.
    Host,
}

impl Agent {
    /// The agent at `INSTANA_AGENT_HOST` and `INSTANA_AGENT_PORT`, or our own on a
    /// free port.
    pub(crate) async fn find_or_start() -> Outcome<Self> {
        let (host, port) = environment::agent();
        if let Some(kind) = ask(&host, port).await {
            return Ok(Self {
                host,
                port,
                kind,
                _own: None,
            });
        }
        let own = DevAgent::start(Config::new())?;
        let address = own.addr();
        Ok(Self {
            host: address.ip().to_string(),
            port: address.port(),
            kind: Kind::Dev,
            _own: Some(own),
        })
    }

    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn url(&self) -> String {
        url(&self.host, self.port)
    }

    pub(crate) fn describe(&self) -> String {
        let what = match (self.kind, &self._own) {
            (Kind::Host, _) => "an Instana host agent, running already",
            (Kind::Dev, None) => "a dev agent, running already",
            (Kind::Dev, Some(_)) => "a dev agent, started for this demonstration",
        };
        format!("agent       {}  ({what})", self.url())
    }
}

fn url(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("http://[{host}]:{port}")
    } else {
        format!("http://{host}:{port}")
    }
}

/// What answers there, if it is an agent.
async fn ask(host: &str, port: u16) -> Option<Kind> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(ANSWER)
        .build()
        .ok()?;
    let body = client
        .get(url(host, port))
        .send()
        .await
        .ok()?
        .error_for_status()
        .ok()?
        .text()
        .await
        .ok()?;
    let answer: Value = serde_json::from_str(&body).ok()?;
    answer.get("version")?;
    let dev = answer
        .get("dev")
        .and_then(Value::as_bool)
        .unwrap_or_default();
    Some(if dev { Kind::Dev } else { Kind::Host })
}
