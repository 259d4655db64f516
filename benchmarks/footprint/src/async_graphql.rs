//! A schema with one field, and a query of it.

use std::error::Error;

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

struct Query;

#[Object]
impl Query {
    async fn stock(&self) -> i32 {
        3
    }
}

pub(crate) fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let schema = Schema::build(Query, EmptyMutation, EmptySubscription);
            #[cfg(feature = "async-graphql-traced")]
            let schema = schema.extension(instana_async_graphql::InstanaExtension::new());
            let response = schema.finish().execute("{ stock }").await;
            println!("{}", response.data);
            Ok(())
        })
}
