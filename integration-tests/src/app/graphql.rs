//! `/graphql`: an order desk; `/graphql/500` answers as that does, with status 500;
//! `/graphql/ws` takes subscriptions.

use std::sync::{Arc, Mutex};

use async_graphql::futures_util::Stream;
use async_graphql::{Context, Error, Object, Result, Schema, Subscription};
use async_graphql_axum::{GraphQL, GraphQLRequest, GraphQLResponse, GraphQLSubscription};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{any_service, post, post_service};
use futures_util::stream;
use instana_async_graphql::{InstanaExtension, Published, PublishedExt as _};
use tokio::sync::mpsc;

type Desk = Schema<Query, Mutation, Subscriptions>;

pub(crate) fn routes() -> Router {
    let desk: Desk = Schema::build(Query, Mutation, Subscriptions)
        .data(Subscribers::default())
        .extension(InstanaExtension::new())
        .finish();
    let failing = post(
        |State(desk): State<Desk>, request: GraphQLRequest| async move {
            let response = desk.execute(request.into_inner()).await;
            let response = GraphQLResponse::from(response);
            (StatusCode::INTERNAL_SERVER_ERROR, response)
        },
    );
    Router::new()
        .route("/graphql", post_service(GraphQL::new(desk.clone())))
        .route("/graphql/500", failing)
        .route(
            "/graphql/ws",
            any_service(GraphQLSubscription::new(desk.clone())),
        )
        .with_state(desk)
}

struct Query;

#[Object]
impl Query {
    async fn order(&self, id: i32) -> Order {
        instana::exit_span("find order").end();
        Order(id)
    }

    async fn missing(&self) -> Result<Option<i32>> {
        Err(Error::new("no such order at https://user:hidden-1@orders/"))
    }

    async fn forever(&self) -> i32 {
        std::future::pending().await
    }
}

#[derive(Clone)]
struct Order(i32);

#[Object]
impl Order {
    async fn id(&self) -> i32 {
        self.0
    }

    async fn item(&self) -> &str {
        "tea"
    }
}

type Subscribers = Arc<Mutex<Vec<mpsc::UnboundedSender<Published<Order>>>>>;

struct Mutation;

#[Object]
impl Mutation {
    /// The number of subscribers that got the order.
    async fn order(&self, ctx: &Context<'_>, id: i32) -> Result<usize> {
        let order = Published::new(Order(id));
        let subscribers = ctx.data::<Subscribers>()?.lock();
        let subscribers = subscribers.map_err(|_| Error::new("poisoned"))?;
        let told = subscribers
            .iter()
            .filter(|subscriber| subscriber.send(order.clone()).is_ok());
        Ok(told.count())
    }
}

struct Subscriptions;

#[Subscription]
impl Subscriptions {
    /// Order 0, and each that is made.
    async fn ordered(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Order> + use<>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        sender.send(Published::new(Order(0)))?;
        let subscribers = ctx.data::<Subscribers>()?.lock();
        let mut subscribers = subscribers.map_err(|_| Error::new("poisoned"))?;
        subscribers.push(sender);
        let orders = stream::unfold(receiver, async |mut receiver| {
            Some((receiver.recv().await?, receiver))
        });
        Ok(orders.published(ctx))
    }
}
