//! A message for a queue.

use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Config, Credentials, Region};
use aws_smithy_http_client::Builder;

pub(crate) fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let config = Config::builder()
                .behavior_version_latest()
                .credentials_provider(Credentials::new("test", "test", None, None, "example"))
                .region(Region::new("us-east-1"))
                .http_client(Builder::new().build_http())
                .endpoint_url("http://127.0.0.1:9/");
            #[cfg(feature = "aws-sdk-traced")]
            let config = config.interceptor(instana_aws_sdk::InstanaInterceptor::new());
            let sqs = Client::from_conf(config.build());
            let send = sqs.send_message().queue_url("http://127.0.0.1:9/orders");
            let sent = send.message_body("3").send().await?;
            println!("{:?}", sent.message_id());
            Ok(())
        })
}
