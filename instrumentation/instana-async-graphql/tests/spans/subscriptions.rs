//! Subscriptions and their events.

use std::sync::Arc;

use async_graphql::{Request, value};
use futures_util::{StreamExt as _, poll};
use instana::span::Kind;
use instana::testing::Recorder;
use instana::{Context, FutureExt as _};
use instana_async_graphql::InstanaExtension;
use serde_json::json;
use tokio::sync::Notify;

use crate::shop::{self, Broker, shop, shop_with};
use crate::{graphql, http_entry};

#[tokio::test]
async fn a_subscription_without_an_entry_has_one_until_it_waits() {
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.tracer(recorder.tracer()));
    let broker = Broker::default();
    let request =
        Request::new("subscription Orders { orders(least: 2) { id } }").data(broker.clone());
    let mut stream = shop.execute_stream(request);
    assert!(poll!(stream.next()).is_pending());
    let begun = recorder.span("graphql.server", Kind::Entry);
    assert_eq!(
        graphql(&begun),
        json!({
            "operationName": "Orders",
            "operationType": "subscription",
            "fields": {"orders": ["id"]},
            "args": {"orders": ["least"]},
        })
    );
    for id in [1, 2, -1] {
        broker.send(id);
        assert!(stream.next().await.is_some());
    }
    broker.close();
    assert!(stream.next().await.is_none());
    recorder.assert_tree(
        "entry graphql.server
           exit graphql.client
           exit graphql.client
           exit graphql.client !
           exit look up
           exit look up",
    );
    let updates: Vec<_> = recorder
        .spans()
        .into_iter()
        .filter(|span| span.name() == "graphql.client")
        .collect();
    let mut expected = graphql(&begun);
    expected["operationType"] = json!("subscription-update");
    assert_eq!(graphql(&updates[0]), expected);
    assert_eq!(
        updates[2].text("data.graphql.errors").as_deref(),
        Some("no such order")
    );
    assert_eq!(updates[2].errors(), 1);
}

#[tokio::test]
async fn within_a_response_a_subscription_takes_the_entry_over() {
    let recorder = Recorder::new();
    let shop = shop();
    let http = http_entry(&recorder);
    async {
        let stream = shop.execute_stream("subscription Ticks { ticks(to: 3) { id } }");
        assert_eq!(stream.count().await, 3);
    }
    .in_span(http)
    .await;
    recorder.assert_tree(
        "entry graphql.server
           exit graphql.client
           exit graphql.client
           exit graphql.client",
    );
    let entry = recorder.span("graphql.server", Kind::Entry);
    assert!(entry.has("data.http"));
    assert_eq!(
        entry.text("data.graphql.operationType").as_deref(),
        Some("subscription")
    );
}

#[tokio::test]
async fn polled_elsewhere_a_subscription_stays_in_its_trace() {
    let recorder = Recorder::new();
    let shop = shop();
    let http = http_entry(&recorder);
    let stream = async { shop.execute_stream("subscription Ticks { ticks(to: 2) { id } }") }
        .in_span(http)
        .await;
    assert!(!Context::current().is_active());
    assert_eq!(stream.count().await, 2);
    recorder.assert_tree(
        "entry graphql.server
           exit graphql.client
           exit graphql.client",
    );
}

#[tokio::test]
async fn a_published_event_is_below_the_mutation_that_made_it() {
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.tracer(recorder.tracer()));
    let broker = Broker::default();
    let request = Request::new("subscription Orders { published { id } }").data(broker.clone());
    let mut stream = shop.execute_stream(request);
    assert!(poll!(stream.next()).is_pending());
    let request = Request::new("mutation Order { publish(id: 5) }").data(broker.clone());
    assert_eq!(shop.execute(request).await.errors, []);
    let event = stream.next().await.unwrap();
    assert_eq!(event.data, value!({"published": {"id": 5}}));
    // Published by nobody's call, it belongs to the subscription.
    broker.publish(6);
    assert!(stream.next().await.is_some());
    recorder.assert_tree(
        "entry graphql.server
           exit graphql.client
           exit look up
entry graphql.server
           exit graphql.client
           exit look up",
    );
    let updates: Vec<_> = recorder
        .spans()
        .into_iter()
        .filter(|span| span.name() == "graphql.client")
        .collect();
    let parent = recorder
        .spans()
        .into_iter()
        .find(|span| span.id() == updates[0].parent())
        .unwrap();
    assert_eq!(
        parent.text("data.graphql.operationName").as_deref(),
        Some("Order")
    );

    // Without the extension, the events are just taken out.
    let plain = shop::plain();
    let request = Request::new("subscription { published { id } }").data(broker.clone());
    let mut stream = plain.execute_stream(request);
    assert!(poll!(stream.next()).is_pending());
    broker.publish(7);
    assert_eq!(
        stream.next().await.unwrap().data,
        value!({"published": {"id": 7}})
    );
}

#[tokio::test]
async fn a_subscription_that_fails_is_an_error_early_and_late() {
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.tracer(recorder.tracer()));
    assert_eq!(
        shop.execute_stream("subscription { nowhere { id } }")
            .count()
            .await,
        1
    );
    let early = recorder.span("graphql.server", Kind::Entry);
    assert_eq!(early.errors(), 1);
    assert!(early.error_text().unwrap().starts_with("Unknown field"));
    recorder.clear();

    let gate = Arc::new(Notify::new());
    let request = Request::new("subscription Late { late { id } }").data(gate.clone());
    let mut stream = shop.execute_stream(request);
    assert!(poll!(stream.next()).is_pending());
    gate.notify_one();
    assert_eq!(stream.next().await.unwrap().errors.len(), 1);
    assert!(stream.next().await.is_none());
    recorder.assert_tree(
        "entry graphql.server
           exit graphql.client !",
    );
    let late = recorder.span("graphql.client", Kind::Exit);
    assert_eq!(
        late.text("data.graphql.errors").as_deref(),
        Some("not allowed")
    );
    assert_eq!(
        late.text("data.graphql.operationName").as_deref(),
        Some("Late")
    );
}

#[tokio::test]
async fn an_event_that_is_given_up_says_so() {
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.tracer(recorder.tracer()));
    let mut stream = shop.execute_stream("subscription { stuck { forever } }");
    assert!(poll!(stream.next()).is_pending());
    drop(stream);
    let update = recorder.span("graphql.client", Kind::Exit);
    let error = update.error_text().unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
    assert_eq!(recorder.span("graphql.server", Kind::Entry).errors(), 0);
}
