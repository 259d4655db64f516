//! For code that keeps reqwest's own client.

use std::future::Future;

use reqwest::{Error, RequestBuilder, Response};

use crate::send;

/// Sends plain reqwest requests inside an exit.
pub trait RequestBuilderExt {
    /// [`send`](RequestBuilder::send), recorded as an exit.
    ///
    /// ```no_run
    /// use instana_reqwest::RequestBuilderExt;
    ///
    /// # async fn f() -> Result<(), reqwest::Error> {
    /// let client = reqwest::Client::new();
    /// let response = client.get("http://stock/items/7").send_traced().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    fn send_traced(self) -> impl Future<Output = Result<Response, Error>> + Send + Unpin;
}

impl RequestBuilderExt for RequestBuilder {
    #[track_caller]
    fn send_traced(self) -> impl Future<Output = Result<Response, Error>> + Send + Unpin {
        let (client, request) = self.build_split();
        send::send(&client, request, None)
    }
}
