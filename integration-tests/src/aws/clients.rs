//! The clients, each with the line that has it traced.

use aws_sdk_sqs::config::{Credentials, Region};
use aws_smithy_http_client::Builder;
use instana_aws_sdk::InstanaInterceptor;

pub(crate) struct Clients {
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
}

/// The configuration of a service's client: plain HTTP to a local server.
macro_rules! configure {
    ($sdk:ident, $endpoint:expr) => {
        $sdk::Config::builder()
            .behavior_version_latest()
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .region(Region::new("us-east-1"))
            .http_client(Builder::new().build_http())
            .endpoint_url($endpoint)
            .interceptor(InstanaInterceptor::new())
    };
}

impl Clients {
    pub(crate) fn new(endpoint: &str) -> Self {
        let s3 = configure!(aws_sdk_s3, endpoint).force_path_style(true);
        Self {
            sqs: aws_sdk_sqs::Client::from_conf(configure!(aws_sdk_sqs, endpoint).build()),
            sns: aws_sdk_sns::Client::from_conf(configure!(aws_sdk_sns, endpoint).build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                configure!(aws_sdk_dynamodb, endpoint).build(),
            ),
        }
    }
}
