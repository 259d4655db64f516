//! Which entry an operation has, and what is below it.

use async_graphql::{Request, value};
use futures_util::StreamExt as _;
use instana::FutureExt as _;
use instana::propagation::Incoming;
use instana::span::Kind;
use instana::testing::Recorder;
use instana_async_graphql::InstanaExtension;
use serde_json::json;

use crate::shop::{self, shop, shop_with};
use crate::{ask, graphql, http_entry};

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
    let entry = recorder.span("graphql.server", Kind::Entry);
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
    let entry = recorder.span("graphql.server", Kind::Entry);
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
        recorder
            .span("graphql.server", Kind::Entry)
            .text("data.kafka.service")
            .as_deref(),
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
    assert!(!inner.has("data.graphql"), "a section of other spans");
    recorder.clear();

    // Of one that cannot be read, there is the name that it asked for.
    let job = async {
        let request = Request::new("query Hello {").operation_name("Hello");
        let report = instana::entry_span("report");
        shop.execute(request).in_span(report).await
    };
    recorder.scope(job).await;
    let inner = recorder.labelled("graphql");
    assert_eq!(
        inner.text("data.sdk.custom.tags.operation").as_deref(),
        Some("Hello")
    );
    assert!(!inner.has("data.graphql") && inner.errors() == 1);
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
async fn other_extensions_and_middleware_may_have_spans_of_their_own() {
    let recorder = Recorder::new();
    let shop = shop::build(InstanaExtension).extension(shop::Nosy).finish();
    ask(&recorder, &shop, "query Hello { hello missing }").await;
    recorder.assert_tree(
        "entry graphql.server !
           intermediate nosy",
    );
    assert_eq!(
        recorder
            .span("graphql.server", Kind::Entry)
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
        recorder
            .span("graphql.server", Kind::Entry)
            .error_text()
            .as_deref(),
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
        .filter(|span| span.kind() == Kind::Entry)
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
