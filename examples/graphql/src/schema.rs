//! A small order desk: the schema, and the line that traces it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::futures_util::Stream;
use async_graphql::{Context, Error, Object, Result, Schema, SimpleObject, Subscription};
use futures_util::{StreamExt as _, stream};
use instana_async_graphql::{FieldSpans, InstanaExtension, Published, PublishedExt as _};
use tokio::sync::broadcast;

/// Events that a slow subscriber may be behind.
const BACKLOG: usize = 64;

pub(crate) type Desk = Schema<Query, Mutation, Subscriptions>;

type Orders = broadcast::Sender<Published<Order>>;

pub(crate) fn build() -> Desk {
    let slow = FieldSpans::Slow(Duration::from_millis(100));
    Schema::build(Query, Mutation, Subscriptions)
        .data(Orders::new(BACKLOG))
        // The context goes along to where the batch is loaded.
        .data(DataLoader::new(Prices, instana_tokio::spawn))
        // This is the line. `.extension(InstanaExtension::new())` does without slow fields.
        .extension(InstanaExtension::new().fields(slow))
        .finish()
}

#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Order {
    id: i32,
    item: String,
}

#[async_graphql::ComplexObject]
impl Order {
    async fn price(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        Ok(ctx.data::<DataLoader<Prices>>()?.load_one(self.id).await?)
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    /// The orders whose numbers are given.
    async fn orders(&self, ids: Vec<i32>) -> Vec<Order> {
        let order = |id: i32| Order {
            id,
            item: if id == 1 { "tea" } else { "milk" }.to_owned(),
        };
        ids.into_iter().map(order).collect()
    }

    /// Takes its time.
    async fn report(&self) -> Result<String> {
        tokio::time::sleep(Duration::from_millis(120)).await;
        Err(Error::new("there is no report yet"))
    }
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn order(&self, ctx: &Context<'_>, item: String) -> Result<Order> {
        let order = Order { id: 3, item };
        // There may be no subscribers.
        let _ = ctx.data::<Orders>()?.send(Published::new(order.clone()));
        Ok(order)
    }
}

pub(crate) struct Subscriptions;

#[Subscription]
impl Subscriptions {
    /// The last order, and each that is made from now on.
    async fn ordered(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Order> + use<>> {
        let orders = ctx.data::<Orders>()?.subscribe();
        let last = Order {
            id: 2,
            item: "milk".to_owned(),
        };
        let next = stream::unfold(orders, async |mut orders| {
            Some((orders.recv().await.ok()?, orders))
        });
        let orders = stream::once(async { Published::new(last) }).chain(next);
        Ok(orders.published(ctx))
    }
}

/// Loads the prices of several orders at once.
pub(crate) struct Prices;

impl Loader<i32> for Prices {
    type Value = i32;
    type Error = Infallible;

    async fn load(&self, ids: &[i32]) -> Result<HashMap<i32, i32>, Infallible> {
        let mut exit = instana::exit_span("price list");
        exit.tag("orders", ids.len());
        Ok(exit.enter(|| ids.iter().map(|id| (*id, 100 + id)).collect()))
    }
}
