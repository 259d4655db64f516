//! Spans of fields.

use std::time::Duration;

use instana::span::Kind;
use instana::testing::Recorder;
use instana_async_graphql::{FieldSpans, InstanaExtension};

use crate::ask;
use crate::shop::shop_with;

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
        recorder
            .span("graphql.server", Kind::Entry)
            .integer("data.sdk.custom.tags.fields_left_out"),
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
