//! Operations of a schema, in each of the ways to ask for them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod shop;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::apollo_persisted_queries::{
    ApolloPersistedQueries, LruCacheStorage,
};
use async_graphql::{BatchRequest, Request, Response, Value, value};
use futures_util::{FutureExt as _, StreamExt as _, poll};
use instana::propagation::Incoming;
use instana::span::http::{ENTRY, Http};
use instana::testing::{RecordedSpan, Recorder};
use instana::{Context, FutureExt as _, Span};
use instana_async_graphql::{FieldSpans, InstanaExtension};
use serde_json::json;
use tokio::sync::Notify;

use crate::shop::{Broker, Shop, shop, shop_with};

fn entry(recorder: &Recorder) -> RecordedSpan {
    recorder.span("graphql.server", 1)
}

fn graphql(span: &RecordedSpan) -> serde_json::Value {
    let span: serde_json::Value = serde_json::from_str(&span.json()).unwrap();
    span["data"]["graphql"].clone()
}

/// As a handler does: inside the HTTP entry of the request.
async fn ask(recorder: &Recorder, shop: &Shop, request: impl Into<Request>) -> Response {
    shop.execute(request).in_span(http_entry(recorder)).await
}

fn http_entry(recorder: &Recorder) -> Span {
    let mut entry = recorder.tracer().entry(&ENTRY, &Incoming::none());
    Http::record(&mut entry, |http| {
        http.method("POST").path("/graphql");
    });
    entry
}

#[tokio::test]
async fn an_operation_takes_the_http_entry_over() {
    let recorder = Recorder::new();
    let shop = shop();
    let query = "query Orders($id: Int!) {
        order(id: $id) { id item { name } }
        again: order(id: 2) { state: id }
        hello
    }";
    let request =
        Request::new(query).variables(async_graphql::Variables::from_json(json!({"id": 1})));
    let response = ask(&recorder, &shop, request).await;
    assert_eq!(response.errors, []);
    recorder.assert_tree(
        "entry graphql.server
           exit find order
           exit find order",
    );
    let entry = entry(&recorder);
    assert_eq!(entry.errors(), 0);
    assert_eq!(
        entry.text("data.http.path").as_deref(),
        Some("/graphql"),
        "what HTTP records stays"
    );
    assert_eq!(
        graphql(&entry),
        json!({
            "operationName": "Orders",
            "operationType": "query",
            "fields": {"order": ["id", "item"], "hello": []},
            "args": {"order": ["id"]},
        })
    );
}

#[tokio::test]
async fn without_an_entry_an_operation_has_its_own() {
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.tracer(recorder.tracer()));
    let response = shop.execute("mutation { order(id: 7) }").await;
    assert_eq!(response.data, value!({"order": 7}));
    recorder.assert_tree("entry graphql.server");
    let entry = entry(&recorder);
    assert_eq!(entry.parent(), "");
    assert_eq!(
        graphql(&entry),
        json!({"operationType": "mutation", "fields": {"order": []}, "args": {"order": ["id"]}})
    );
}

#[tokio::test]
async fn an_entry_of_another_kind_is_taken_over_one_with_a_name_is_not() {
    instana::section! {
        struct Queue = "kafka" {
            service: text(20),
        }
    }
    static CONSUME: instana::span::Family = instana::span::Family::new(
        "kafka",
        instana::span::Kind::Entry,
        Queue::SECTION,
        "messaging",
    );
    let recorder = Recorder::new();
    let shop = shop();
    let mut message = recorder.tracer().entry(&CONSUME, &Incoming::none());
    Queue::record(&mut message, |queue| {
        queue.service("orders");
    });
    shop.execute("{ hello }").in_span(message).await;
    assert_eq!(
        entry(&recorder).text("data.kafka.service").as_deref(),
        Some("orders")
    );
    recorder.clear();

    let job = async {
        shop.execute("query Hello { hello nothing }")
            .in_span(instana::entry_span("report"))
            .await
    };
    recorder.scope(job).await;
    recorder.assert_tree(
        "entry report
           intermediate graphql !",
    );
    let inner = recorder.labelled("graphql");
    assert_eq!(
        inner.text("data.sdk.custom.tags.operation").as_deref(),
        Some("query Hello")
    );
    assert_eq!(
        inner.error_text().as_deref(),
        Some(r#"Unknown field "nothing" on type "Query"."#)
    );
}

#[tokio::test]
async fn errors_are_counted_and_joined() {
    let recorder = Recorder::new();
    let shop = shop();
    let response = ask(&recorder, &shop, "{ missing secret hello }").await;
    assert_eq!(response.errors.len(), 2);
    let entry = entry(&recorder);
    assert_eq!(entry.errors(), 2);
    assert_eq!(
        entry.text("data.graphql.errors").as_deref(),
        Some("no such order, cannot reach postgres://<redacted>:<redacted>@db/shop")
    );
}

#[tokio::test]
async fn what_cannot_be_read_or_is_wrong_is_recorded_without_its_values() {
    let shop = shop();
    for (query, asked, name, errors) in [
        (
            "query Login { login(pass: \"hunter2\" }",
            Some("Login"),
            Some("Login"),
            "syntax error at 1:37: expected",
        ),
        (
            "query Login { login(pass: \"hunter2\" }",
            None,
            None,
            "syntax error at 1:37: expected",
        ),
        (
            "query Typo { helo }",
            None,
            Some("Typo"),
            "Unknown field \"helo\" on type \"Query\"",
        ),
        (
            "query Wrong { order(id: \"hunter2\") { id } }",
            None,
            Some("Wrong"),
            "Invalid value for argument \"id\"",
        ),
        (
            "query A { hello } query B { hello }",
            Some("C"),
            Some("C"),
            "Unknown operation named \"C\"",
        ),
        (
            "query A { hello } query B { hello }",
            None,
            None,
            "Operation name required in request.",
        ),
        ("", None, None, "syntax error at 1:1: expected"),
    ] {
        let recorder = Recorder::new();
        let mut request = Request::new(query);
        if let Some(asked) = asked {
            request = request.operation_name(asked);
        }
        let response = ask(&recorder, &shop, request).await;
        assert!(response.is_err(), "{query}");
        let entry = entry(&recorder);
        assert_eq!(entry.errors(), response.errors.len() as u64);
        assert_eq!(
            entry.text("data.graphql.operationName").as_deref(),
            name,
            "{query}"
        );
        let text = entry.error_text().unwrap();
        assert!(text.starts_with(errors), "{text}");
        assert!(!entry.json().contains("hunter2"), "{}", entry.json());
    }
}

#[tokio::test]
async fn of_several_operations_the_one_that_is_asked_for_is_recorded() {
    let recorder = Recorder::new();
    let request = Request::new("query A { hello } mutation B { order(id: 1) }").operation_name("B");
    ask(&recorder, &shop(), request).await;
    let entry = entry(&recorder);
    assert_eq!(
        entry.text("data.graphql.operationName").as_deref(),
        Some("B")
    );
    assert_eq!(
        entry.text("data.graphql.operationType").as_deref(),
        Some("mutation")
    );
    assert!(!entry.has("data.graphql.fields.hello"));
}

#[tokio::test]
async fn introspection_is_an_operation_as_others() {
    let recorder = Recorder::new();
    ask(
        &recorder,
        &shop(),
        "query IntrospectionQuery { __schema { types { name } } __typename }",
    )
    .await;
    assert_eq!(
        graphql(&entry(&recorder))["fields"],
        json!({"__schema": ["types"], "__typename": []})
    );
}

#[tokio::test]
async fn fields_behind_fragments_are_recorded_in_bounds() {
    let recorder = Recorder::new();
    let shop = shop();
    let query = "query { ...Root ... on Query { ... { hello } } }
        fragment Root on Query { order(id: 1) { ...Parts id } }
        fragment Parts on Order { id item { name } }";
    assert_eq!(ask(&recorder, &shop, query).await.errors, []);
    assert_eq!(
        graphql(&entry(&recorder))["fields"],
        json!({"order": ["id", "item"], "hello": []})
    );

    // Names of a document that is no valid one may be anything.
    let many: String = (0..5_000).map(|n| format!(" f{n}")).collect();
    let long = "x".repeat(100_000);
    let cycle = "fragment F on Query { ...F }";
    let nested = "{ a ".repeat(500) + &"}".repeat(500);
    for query in [
        format!("{{ {many} }}"),
        format!("{{ a {{ {many} }} }}"),
        format!("query {long} {{ {long} {{ {long} }} }}"),
        format!(
            "{{ a({}) }}",
            (0..5_000).map(|n| format!(" f{n}: 1")).collect::<String>()
        ),
        format!("{{ ...F hello }} {cycle}"),
        nested,
    ] {
        recorder.clear();
        ask(&recorder, &shop, query.as_str()).await;
        let entry = entry(&recorder);
        assert!(entry.json().len() < 8_192, "{}", entry.json().len());
        assert!(entry.errors() > 0);
        assert!(entry.error_text().is_some());
    }
    let query = format!("{{ a {{ {many} }} b }}");
    recorder.clear();
    ask(&recorder, &shop, query).await;
    let below = graphql(&entry(&recorder))["fields"]["a"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(below, 50);
}

#[tokio::test]
async fn operations_of_a_batch_are_told_apart() {
    let recorder = Recorder::new();
    let shop = shop();
    let batch = BatchRequest::Batch(vec![
        Request::new("query First { order(id: 1) { id } }"),
        Request::new("query Second { order(id: 2) { id } }"),
        Request::new("query Third { missing }"),
    ]);
    let entry = http_entry(&recorder);
    let response = shop.execute_batch(batch).in_span(entry).await;
    assert!(!response.is_ok());
    recorder.assert_tree(
        "entry graphql.server !
           exit find order
           intermediate graphql
             exit find order
           intermediate graphql !",
    );
    let entry = crate::entry(&recorder);
    assert_eq!(
        entry.text("data.graphql.operationName").as_deref(),
        Some("First")
    );
    assert_eq!(entry.errors(), 1, "one of its operations failed");
    let mut inner: Vec<_> = recorder
        .spans()
        .iter()
        .filter_map(|span| span.text("data.sdk.custom.tags.operation"))
        .collect();
    inner.sort();
    assert_eq!(inner, ["query Second", "query Third"]);
}

#[tokio::test]
async fn persisted_queries_are_recorded_as_others() {
    let recorder = Recorder::new();
    let shop = shop::build(InstanaExtension)
        .extension(ApolloPersistedQueries::new(LruCacheStorage::new(8)))
        .finish();
    let request = |query: &str| {
        let hash = "3f710a83decac3d21ddeae7bd265d8c5a48749226d23327b5dfd7031f406a987";
        let mut request = Request::new(query);
        request.extensions.insert(
            "persistedQuery".to_owned(),
            value!({"version": 1, "sha256Hash": hash}),
        );
        request.operation_name("Hello")
    };
    let response = ask(&recorder, &shop, request("")).await;
    assert_eq!(response.errors[0].message, "PersistedQueryNotFound");
    let unknown = entry(&recorder);
    assert_eq!(
        unknown.text("data.graphql.operationName").as_deref(),
        Some("Hello")
    );
    assert_eq!(unknown.errors(), 1);

    ask(&recorder, &shop, request("query Hello { hello }")).await;
    recorder.clear();
    let response = ask(&recorder, &shop, request("")).await;
    assert_eq!(response.data, value!({"hello": "hello"}));
    let known = entry(&recorder);
    assert_eq!(
        known.text("data.graphql.operationType").as_deref(),
        Some("query")
    );
    assert!(known.has("data.graphql.fields.hello"));
    assert_eq!(known.errors(), 0);
}

#[tokio::test]
async fn a_dynamic_schema_is_recorded_too() {
    use async_graphql::dynamic::{Field, FieldFuture, Object, Schema, TypeRef};
    let recorder = Recorder::new();
    let query =
        Object::new("Query").field(Field::new("hello", TypeRef::named_nn(TypeRef::INT), |_| {
            FieldFuture::new(async { Ok(Some(Value::from(1))) })
        }));
    let schema = Schema::build("Query", None, None)
        .register(query)
        .extension(InstanaExtension)
        .finish()
        .unwrap();
    let entry = http_entry(&recorder);
    schema
        .execute("query Dynamic { hello }")
        .in_span(entry)
        .await;
    let entry = crate::entry(&recorder);
    assert_eq!(
        entry.text("data.graphql.operationName").as_deref(),
        Some("Dynamic")
    );
}

#[tokio::test]
async fn what_is_suppressed_or_switched_off_is_not_recorded() {
    let recorder = Recorder::new();
    let shop = shop();
    recorder
        .scope(async { shop.execute("{ order(id: 1) { id } }").suppress().await })
        .await;
    let suppressed = recorder.scope(async {
        let stream =
            instana::suppress(|| shop.execute_stream("subscription { ticks(to: 2) { id } }"));
        stream.collect::<Vec<_>>().await
    });
    assert_eq!(suppressed.await.len(), 2);
    recorder.assert_empty();

    let recorder = Recorder::builder()
        .environment(&[("INSTANA_TRACING_DISABLE", "graphql")])
        .build();
    ask(&recorder, &shop, "{ order(id: 1) { id } }").await;
    recorder
        .scope(async { shop.execute("{ hello }").await })
        .await;
    recorder.assert_tree(
        "entry g.http
           exit find order",
    );

    // Nobody's request, without a tracer.
    let response = shop.execute("{ order(id: 1) { id } hello }").await;
    assert_eq!(response.errors, []);
    assert_eq!(
        shop.execute_stream("subscription { ticks(to: 2) { id } }")
            .count()
            .await,
        2
    );
}

#[tokio::test]
async fn an_operation_that_is_given_up_or_panics_says_so() {
    let recorder = Recorder::new();
    let shop = shop();
    let own = recorder.scope(async {
        let mut execution = Box::pin(shop.execute("query Forever { forever }"));
        assert!(poll!(&mut execution).is_pending());
    });
    own.await;
    let given_up = entry(&recorder);
    assert_eq!(
        given_up.text("data.graphql.operationName").as_deref(),
        Some("Forever")
    );
    let error = given_up.error_text().unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
    recorder.clear();

    let own = recorder.scope(async { shop.execute("{ panics }").await });
    let result = std::panic::AssertUnwindSafe(own).catch_unwind().await;
    assert!(result.is_err());
    assert_eq!(entry(&recorder).error_text().as_deref(), Some("panicked"));
    recorder.clear();

    let stream = recorder.scope(async { shop.execute_stream("{ forever }").boxed() });
    let mut stream = stream.await;
    assert!(poll!(stream.next()).is_pending());
    drop(stream);
    let error = entry(&recorder).error_text().unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
}

#[tokio::test]
async fn other_extensions_and_middleware_may_have_spans_of_their_own() {
    let recorder = Recorder::new();
    let shop = shop::build(InstanaExtension).extension(shop::Nosy).finish();
    ask(&recorder, &shop, "query Hello { hello missing }").await;
    recorder.assert_tree(
        "entry graphql.server !
           intermediate nosy",
    );
    assert_eq!(
        entry(&recorder)
            .text("data.graphql.operationName")
            .as_deref(),
        Some("Hello")
    );
    recorder.clear();

    let http = http_entry(&recorder);
    async {
        let middleware = instana::span("middleware");
        shop.execute("query Hello { hello }")
            .in_span(middleware)
            .await
    }
    .in_span(http)
    .await;
    recorder.assert_tree(
        "entry g.http
           intermediate middleware
             intermediate graphql
               intermediate nosy",
    );
}

#[tokio::test]
async fn data_loaders_keep_the_context_of_the_operation() {
    let recorder = Recorder::new();
    let shop = shop();
    let query = "{ a: loaded(id: 1) b: loaded(id: 2) c: loaded(id: 1) }";
    let response = ask(&recorder, &shop, query).await;
    assert_eq!(response.data, value!({"a": 1, "b": 2, "c": 1}));
    recorder.assert_tree(
        "entry graphql.server
           exit load 2",
    );
}

#[tokio::test]
async fn fields_have_spans_where_they_are_asked_for() {
    let query = "{ order(id: 1) { id item { name } } orders { id item { name } } hello }";
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.fields(FieldSpans::All));
    ask(&recorder, &shop, query).await;
    recorder.assert_tree(
        "entry graphql.server
           intermediate Query.order
             intermediate Order.item
             exit find order
           intermediate Query.orders
             intermediate Order.item
             intermediate Order.item
             intermediate Order.item",
    );
    recorder.clear();
    ask(&recorder, &shop, "{ fails { id } }").await;
    recorder.assert_tree(
        "entry graphql.server !
           intermediate Query.fails !",
    );
    assert_eq!(
        recorder.labelled("Query.fails").error_text().as_deref(),
        Some("it fails")
    );
    recorder.clear();
    ask(&recorder, &shop, "{ __schema { types { name } } }").await;
    recorder.assert_tree("entry graphql.server");
    recorder.clear();

    let aliases: String = (0..300)
        .map(|n| format!(" a{n}: orders {{ id }}"))
        .collect();
    ask(&recorder, &shop, format!("{{ {aliases} }}")).await;
    assert_eq!(recorder.spans().len(), 201);
    assert_eq!(
        entry(&recorder).integer("data.sdk.custom.tags.fields_left_out"),
        Some(100)
    );
}

#[tokio::test]
async fn slow_fields_have_spans_and_quick_ones_leave_nothing() {
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.fields(FieldSpans::Slow(Duration::from_secs(3_600))));
    ask(
        &recorder,
        &shop,
        "{ order(id: 1) { id } hello fails { id } }",
    )
    .await;
    recorder.assert_tree(
        "entry graphql.server !
           exit find order",
    );
    recorder.clear();
    let shop = shop_with(InstanaExtension.fields(FieldSpans::Slow(Duration::ZERO)));
    ask(&recorder, &shop, "{ order(id: 1) { id } fails { id } }").await;
    recorder.assert_tree(
        "entry graphql.server !
           intermediate Query.order
           intermediate Order.id
           intermediate Query.fails !
           exit find order",
    );
    recorder.clear();
    // It took its time, whoever waited for it.
    let shop = shop_with(InstanaExtension.fields(FieldSpans::Slow(Duration::from_millis(20))));
    ask(&recorder, &shop, "{ slow hello }").await;
    recorder.assert_tree(
        "entry graphql.server
           intermediate Query.slow",
    );
    assert!(recorder.labelled("Query.slow").duration() >= 20);
}

#[tokio::test]
async fn a_subscription_without_an_entry_has_one_until_it_waits() {
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.tracer(recorder.tracer()));
    let broker = Broker::default();
    let request =
        Request::new("subscription Orders { orders(least: 2) { id } }").data(broker.clone());
    let mut stream = shop.execute_stream(request);
    assert!(poll!(stream.next()).is_pending());
    let begun = entry(&recorder);
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
    let entry = entry(&recorder);
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
    let early = entry(&recorder);
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
    let late = recorder.span("graphql.client", 2);
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
    let update = recorder.span("graphql.client", 2);
    let error = update.error_text().unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
    assert_eq!(entry(&recorder).errors(), 0);
}

#[tokio::test]
async fn a_query_answered_by_a_stream_is_one_entry() {
    let recorder = Recorder::new();
    let shop = shop_with(InstanaExtension.tracer(recorder.tracer()));
    let mut stream = shop.execute_stream("query Orders { order(id: 1) { id } missing }");
    let response = stream.next().await.unwrap();
    assert_eq!(response.errors.len(), 1);
    recorder.assert_tree(
        "entry graphql.server !
           exit find order",
    );
    assert_eq!(
        entry(&recorder).error_text().as_deref(),
        Some("no such order")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_operations_keep_to_their_own_entries() {
    let recorder = Recorder::new();
    let shop = shop();
    let tasks: Vec<_> = (0..64)
        .map(|id| {
            let (shop, mut entry) = (shop.clone(), http_entry(&recorder));
            tokio::spawn(async move {
                entry.tag("id", id);
                let query = format!("query Q{id} {{ a: order(id: {id}) {{ id }} b: order(id: {id}) {{ id }} l: loaded(id: {id}) }}");
                shop.execute(query.as_str()).in_span(entry).await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().errors, []);
    }
    let entries: Vec<_> = recorder
        .spans()
        .into_iter()
        .filter(|span| span.kind() == 1)
        .collect();
    assert_eq!(entries.len(), 64);
    for entry in entries {
        let id = entry.integer("data.sdk.custom.tags.id").unwrap();
        assert_eq!(
            entry.text("data.graphql.operationName"),
            Some(format!("Q{id}"))
        );
        let found: Vec<_> = recorder
            .children(&entry)
            .into_iter()
            .filter(|span| span.label() == "find order")
            .collect();
        assert_eq!(found.len(), 2);
        assert!(
            found
                .iter()
                .all(|exit| exit.integer("data.sdk.custom.tags.id") == Some(id))
        );
    }
}
