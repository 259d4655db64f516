//! A schema to ask.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextRequest};
use async_graphql::futures_util::Stream;
use async_graphql::{
    Context, Error, Object, Response, Result, Schema, SchemaBuilder, Subscription,
};
use futures_util::stream;
use instana::FutureExt as _;
use instana_async_graphql::{InstanaExtension, Published, PublishedExt as _};
use tokio::sync::{Notify, mpsc};

pub(crate) type Shop = Schema<Query, Mutation, Subscriptions>;

pub(crate) fn shop() -> Shop {
    shop_with(InstanaExtension)
}

pub(crate) fn shop_with(extension: impl ExtensionFactory) -> Shop {
    build(extension).finish()
}

pub(crate) fn build(
    extension: impl ExtensionFactory,
) -> SchemaBuilder<Query, Mutation, Subscriptions> {
    Schema::build(Query, Mutation, Subscriptions)
        .data(DataLoader::new(Numbers, instana_tokio::spawn))
        .extension(extension)
}

/// Without any extension.
pub(crate) fn plain() -> Shop {
    Schema::new(Query, Mutation, Subscriptions)
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "hello"
    }

    async fn order(&self, id: i32) -> Order {
        let mut exit = instana::exit_span("find order");
        exit.tag("id", id);
        tokio::task::yield_now().in_span(exit).await;
        Order(id)
    }

    async fn orders(&self) -> Vec<Order> {
        vec![Order(1), Order(2), Order(3)]
    }

    async fn loaded(&self, ctx: &Context<'_>, id: i32) -> Result<Option<i32>> {
        Ok(ctx.data::<DataLoader<Numbers>>()?.load_one(id).await?)
    }

    async fn missing(&self) -> Result<Option<i32>> {
        Err(Error::new("no such order"))
    }

    async fn fails(&self) -> Result<Option<Order>> {
        Err(Error::new("it fails"))
    }

    async fn secret(&self) -> Result<Option<i32>> {
        Err(Error::new("cannot reach postgres://shop:hunter2@db/shop"))
    }

    async fn forever(&self) -> i32 {
        pending().await
    }

    async fn slow(&self) -> i32 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        1
    }

    async fn panics(&self, #[graphql(default = true)] really: bool) -> i32 {
        assert!(!really, "on purpose");
        1
    }
}

pub(crate) struct Order(i32);

#[Object]
impl Order {
    async fn id(&self) -> i32 {
        self.0
    }

    async fn item(&self) -> Item {
        Item
    }
}

pub(crate) struct Item;

#[Object]
impl Item {
    async fn name(&self) -> &str {
        "tea"
    }
}

/// Loads numbers.
pub(crate) struct Numbers;

impl Loader<i32> for Numbers {
    type Value = i32;
    type Error = Infallible;

    async fn load(&self, keys: &[i32]) -> Result<HashMap<i32, i32>, Infallible> {
        instana::exit_span(&format!("load {}", keys.len())).end();
        Ok(keys.iter().map(|key| (*key, *key)).collect())
    }
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn order(&self, id: i32) -> i32 {
        id
    }

    async fn publish(&self, ctx: &Context<'_>, id: i32) -> Result<i32> {
        ctx.data::<Broker>()?.publish(id);
        Ok(id)
    }
}

pub(crate) struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn ticks(&self, to: i32) -> impl Stream<Item = Order> {
        stream::iter((0..to).map(Order))
    }

    async fn orders(&self, ctx: &Context<'_>, least: i32) -> impl Stream<Item = Event> {
        let _ = least;
        ctx.data_unchecked::<Broker>().subscribe().map_to_events()
    }

    async fn published(&self, ctx: &Context<'_>) -> impl Stream<Item = Event> {
        ctx.data_unchecked::<Broker>().published().published(ctx)
    }

    async fn late(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Order>> {
        ctx.data_unchecked::<Arc<Notify>>().notified().await;
        Err::<stream::Empty<Order>, _>(Error::new("not allowed"))
    }

    async fn stuck(&self) -> impl Stream<Item = Stuck> {
        stream::iter([Stuck])
    }
}

/// What subscribers see of an order.
#[derive(Clone, Copy)]
pub(crate) struct Event(i32);

#[Object]
impl Event {
    async fn id(&self) -> Result<i32> {
        if self.0 < 0 {
            return Err(Error::new("no such order"));
        }
        instana::exit_span("look up").end();
        Ok(self.0)
    }
}

pub(crate) struct Stuck;

#[Object]
impl Stuck {
    async fn forever(&self) -> i32 {
        pending().await
    }
}

trait Events: Stream<Item = i32> + Sized {
    fn map_to_events(self) -> impl Stream<Item = Event> {
        futures_util::StreamExt::map(self, Event)
    }
}

impl<S: Stream<Item = i32>> Events for S {}

/// One channel for each subscription.
#[derive(Clone, Default)]
pub(crate) struct Broker {
    numbers: Arc<Mutex<Vec<mpsc::UnboundedSender<i32>>>>,
    events: Arc<Mutex<Vec<mpsc::UnboundedSender<Published<Event>>>>>,
}

impl Broker {
    pub(crate) fn send(&self, id: i32) {
        for subscriber in self.numbers.lock().unwrap().iter() {
            let _ = subscriber.send(id);
        }
    }

    pub(crate) fn publish(&self, id: i32) {
        for subscriber in self.events.lock().unwrap().iter() {
            let _ = subscriber.send(Published::new(Event(id)));
        }
    }

    /// Ends all subscriptions.
    pub(crate) fn close(&self) {
        self.numbers.lock().unwrap().clear();
    }

    fn subscribe(&self) -> impl Stream<Item = i32> + use<> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.numbers.lock().unwrap().push(sender);
        received(receiver)
    }

    fn published(&self) -> impl Stream<Item = Published<Event>> + use<> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.events.lock().unwrap().push(sender);
        received(receiver)
    }
}

fn received<T: Send>(receiver: mpsc::UnboundedReceiver<T>) -> impl Stream<Item = T> {
    stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    })
}

/// An extension with a span of its own around each request.
pub(crate) struct Nosy;

impl ExtensionFactory for Nosy {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Nosy {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        next.run(ctx).in_span(instana::span("nosy")).await
    }
}
