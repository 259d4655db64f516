//! Operations, and what a request may hold of them.

use async_graphql::extensions::apollo_persisted_queries::{
    ApolloPersistedQueries, LruCacheStorage,
};
use async_graphql::{BatchRequest, Request, Value, value};
use instana::FutureExt as _;
use instana::span::Kind;
use instana::testing::Recorder;
use instana_async_graphql::InstanaExtension;
use serde_json::json;

use crate::shop::{self, shop};
use crate::{ask, graphql, http_entry};

#[tokio::test]
async fn of_several_operations_the_one_that_is_asked_for_is_recorded() {
    let recorder = Recorder::new();
    let request = Request::new("query A { hello } mutation B { order(id: 1) }").operation_name("B");
    ask(&recorder, &shop(), request).await;
    let entry = recorder.span("graphql.server", Kind::Entry);
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
        graphql(&recorder.span("graphql.server", Kind::Entry))["fields"],
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
        graphql(&recorder.span("graphql.server", Kind::Entry))["fields"],
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
        let entry = recorder.span("graphql.server", Kind::Entry);
        assert!(entry.json().len() < 8_192, "{}", entry.json().len());
        assert!(entry.errors() > 0);
        assert!(entry.error_text().is_some());
    }
    let query = format!("{{ a {{ {many} }} b }}");
    recorder.clear();
    ask(&recorder, &shop, query).await;
    let below = graphql(&recorder.span("graphql.server", Kind::Entry))["fields"]["a"]
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
    let entry = recorder.span("graphql.server", Kind::Entry);
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
    let unknown = recorder.span("graphql.server", Kind::Entry);
    assert_eq!(
        unknown.text("data.graphql.operationName").as_deref(),
        Some("Hello")
    );
    assert_eq!(unknown.errors(), 0, "the first step of a handshake");
    assert!(!unknown.has("data.graphql.errors"));

    ask(&recorder, &shop, request("query Hello { hello }")).await;
    recorder.clear();
    let response = ask(&recorder, &shop, request("")).await;
    assert_eq!(response.data, value!({"hello": "hello"}));
    let known = recorder.span("graphql.server", Kind::Entry);
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
    let entry = recorder.span("graphql.server", Kind::Entry);
    assert_eq!(
        entry.text("data.graphql.operationName").as_deref(),
        Some("Dynamic")
    );
}
