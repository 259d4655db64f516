//! Orders that go through a queue of SQS to a worker, as one trace each:
//! `AWS_ENDPOINT_URL=http://127.0.0.1:5566 cargo run -p sqs-worker`.
#![forbid(unsafe_code)]

mod orders;
mod report;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Config, Credentials, Region};
use aws_smithy_http_client::Builder;
use instana_aws_sdk::InstanaInterceptor;
use instana_dev_agent::DevAgent;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const HELP: &str =
    "AWS_ENDPOINT_URL is not set. `cargo xtask services up aws` starts moto, which stands
in for AWS, and prints its URL. Then: AWS_ENDPOINT_URL=<the URL> cargo run -p sqs-worker";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(endpoint) = endpoint() else {
        eprintln!("sqs-worker: {HELP}");
        return ExitCode::from(2);
    };
    match run(&endpoint).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sqs-worker: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the SDK's own variable, which aws-config would read"
)]
fn endpoint() -> Option<String> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
    endpoint.filter(|endpoint| !endpoint.is_empty())
}

/// Three orders, a worker, and what an agent has seen of them.
async fn run(endpoint: &str) -> Outcome<()> {
    let agent = DevAgent::start(instana_dev_agent::Config::new())?;
    let guard = instana::builder()
        .service("sqs-worker")
        .agent(&agent.addr().to_string())
        .init()?;
    let sqs = client(endpoint);
    let queue = sqs.create_queue().queue_name("orders").send().await?;
    let queue = queue.queue_url().ok_or("a queue without a URL")?;
    for number in 1..=3 {
        orders::place(&sqs, queue, number).await?;
    }
    orders::work(&sqs, queue, 3).await?;
    sqs.delete_queue().queue_url(queue).send().await?;
    if !instana::flush(Duration::from_secs(10)) {
        return Err(format!("no traces were sent\n{}", instana::status()).into());
    }
    report::print(&agent)?;
    drop(guard);
    Ok(())
}

/// The last line of the configuration is what has the client traced.
fn client(endpoint: &str) -> Client {
    let config = Config::builder()
        .behavior_version_latest()
        .credentials_provider(Credentials::new("test", "test", None, None, "example"))
        .region(Region::new("us-east-1"))
        .http_client(Builder::new().build_http())
        .endpoint_url(endpoint)
        .interceptor(InstanaInterceptor::new());
    Client::from_conf(config.build())
}
