//! A call of another service.

use std::error::Error;

pub(crate) fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let client = reqwest::Client::new();
    #[cfg(feature = "reqwest-traced")]
    let client = instana_reqwest::Client::from(client);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let response = client.get("http://127.0.0.1:9/items").send().await?;
            println!("{}", response.status());
            Ok(())
        })
}
