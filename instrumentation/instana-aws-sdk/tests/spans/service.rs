//! A service that is told what to answer, and tells what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use tokio::sync::Notify;

/// The configuration of a service's client, with the line that a user adds.
macro_rules! configure {
    ($service:expr, $sdk:ident) => {
        $sdk::config::Builder::new()
            .behavior_version_latest()
            .credentials_provider(crate::service::credentials())
            .region(crate::service::region())
            .retry_config(crate::service::retries())
            .http_client($service.clone())
            .interceptor(instana_aws_sdk::InstanaInterceptor::new())
    };
}
pub(crate) use configure;

/// What a request is answered with.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status and a body.
    Answer(u16, String),
    /// After `release`.
    Late(String),
    /// Never.
    Nothing,
    /// There is nobody.
    Refused,
}

impl Reply {
    pub(crate) fn ok(body: &str) -> Self {
        Self::Answer(200, body.to_owned())
    }
}

/// The service, or a client's way to it.
#[derive(Clone, Debug)]
pub(crate) struct Service(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    replies: Mutex<Vec<Reply>>,
    requests: Mutex<Vec<String>>,
    asked: Notify,
    released: Notify,
}

impl Service {
    /// Answers requests in this order, and the last one for ever.
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = Mutex::new(replies.into_iter().collect());
        Self(Arc::new(Inner {
            replies,
            ..Inner::default()
        }))
    }

    /// Answers all requests with 200 and this.
    pub(crate) fn answering(body: &str) -> Self {
        Self::new([Reply::ok(body)])
    }

    /// The bodies of all requests.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.0.requests.lock().unwrap().clone()
    }

    /// The body of the only request, as JSON.
    pub(crate) fn request(&self) -> Value {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        serde_json::from_str(&requests[0]).unwrap()
    }

    /// Waits for a request.
    pub(crate) async fn asked(&self) {
        self.0.asked.notified().await;
    }

    /// Lets a late answer go.
    pub(crate) fn release(&self) {
        self.0.released.notify_one();
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::from_conf(configure!(self, aws_sdk_sqs).build())
    }

    pub(crate) fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::from_conf(configure!(self, aws_sdk_sns).build())
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(configure!(self, aws_sdk_s3).build())
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(configure!(self, aws_sdk_dynamodb).build())
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("key", "secret", None, None, "tests")
}

pub(crate) fn region() -> Region {
    Region::new("eu-west-1")
}

pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard().with_initial_backoff(Duration::from_millis(1))
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body).into_owned();
        self.0.requests.lock().unwrap().push(body);
        let reply = {
            let mut replies = self.0.replies.lock().unwrap();
            if replies.len() > 1 {
                replies.remove(0)
            } else {
                replies[0].clone()
            }
        };
        self.0.asked.notify_one();
        let inner = self.0.clone();
        HttpConnectorFuture::new(async move {
            match reply {
                Reply::Answer(status, body) => Ok(answer(status, body)),
                Reply::Late(body) => {
                    inner.released.notified().await;
                    Ok(answer(200, body))
                }
                Reply::Nothing => std::future::pending().await,
                Reply::Refused => {
                    let error = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                    Err(ConnectorError::io(error.into()))
                }
            }
        })
    }
}

fn answer(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

impl HttpClient for Service {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
