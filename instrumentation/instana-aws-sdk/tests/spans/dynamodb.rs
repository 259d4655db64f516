//! Exits of DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Get, KeysAndAttributes, Put, PutRequest, TransactGetItem,
    TransactWriteItem, WriteRequest,
};
use instana::testing::{RecordedSpan, Recorder};
use serde_json::{Value, json};

use crate::service::{Reply, Service};

async fn recorded<F: Future<Output = ()>>(
    reply: Reply,
    calls: impl FnOnce(aws_sdk_dynamodb::Client) -> F,
) -> Vec<RecordedSpan> {
    let recorder = Recorder::new();
    let dynamodb = Service::new([reply]).dynamodb();
    recorder.in_entry(async { calls(dynamodb).await }).await;
    let mut spans = recorder.spans();
    spans.retain(|span| span.name() == "dynamodb");
    spans
}

fn data(span: &RecordedSpan) -> Value {
    let json: Value = serde_json::from_str(&span.json()).unwrap();
    json["data"]["dynamodb"].clone()
}

fn value() -> AttributeValue {
    AttributeValue::S("hidden".to_owned())
}

fn key() -> HashMap<String, AttributeValue> {
    [("id".to_owned(), value())].into()
}

#[tokio::test]
async fn operations_have_the_words_of_siblings() {
    let spans = recorded(Reply::ok("{}"), |db| async move {
        db.get_item()
            .table_name("t")
            .key("id", value())
            .send()
            .await
            .unwrap();
        db.put_item()
            .table_name("t")
            .item("id", value())
            .send()
            .await
            .unwrap();
        db.update_item()
            .table_name("t")
            .key("id", value())
            .send()
            .await
            .unwrap();
        db.delete_item()
            .table_name("t")
            .key("id", value())
            .send()
            .await
            .unwrap();
        db.query().table_name("t").send().await.unwrap();
        db.scan().table_name("t").send().await.unwrap();
        db.create_table().table_name("t").send().await.unwrap();
        db.describe_table().table_name("t").send().await.unwrap();
        db.list_tables().send().await.unwrap();
        db.execute_statement()
            .statement("SELECT hidden")
            .send()
            .await
            .unwrap();
    })
    .await;
    let call = |op: &str| json!({"op": op, "table": "t", "region": "eu-west-1"});
    let without = |op: &str| json!({"op": op, "region": "eu-west-1"});
    assert_eq!(
        spans.iter().map(data).collect::<Vec<_>>(),
        [
            call("get"),
            call("put"),
            call("update"),
            call("delete"),
            call("query"),
            call("scan"),
            call("create"),
            call("describeTable"),
            without("list"),
            without("executeStatement"),
        ]
    );
    assert!(spans.iter().all(|span| !span.json().contains("hidden")));
}

#[tokio::test]
async fn what_comes_together_is_one_span_of_all_tables() {
    let body = r#"{"UnprocessedItems":{"b":[{"PutRequest":{"Item":{"id":{"S":"1"}}}}]}}"#;
    let spans = recorded(Reply::ok(body), |db| async move {
        let put = PutRequest::builder().set_item(Some(key())).build().unwrap();
        let put = WriteRequest::builder().put_request(put).build();
        let write = db.batch_write_item();
        write
            .request_items("b", vec![put.clone(), put.clone()])
            .request_items("a", vec![put])
            .send()
            .await
            .unwrap();
        let keys = KeysAndAttributes::builder()
            .keys(key())
            .keys(key())
            .build()
            .unwrap();
        db.batch_get_item()
            .request_items("c", keys)
            .send()
            .await
            .unwrap();
        let put = Put::builder()
            .table_name("b")
            .set_item(Some(key()))
            .build()
            .unwrap();
        let delete = Delete::builder()
            .table_name("a")
            .set_key(Some(key()))
            .build()
            .unwrap();
        db.transact_write_items()
            .transact_items(TransactWriteItem::builder().put(put.clone()).build())
            .transact_items(TransactWriteItem::builder().delete(delete).build())
            .transact_items(TransactWriteItem::builder().put(put).build())
            .send()
            .await
            .unwrap();
        let get = Get::builder()
            .table_name("a")
            .set_key(Some(key()))
            .build()
            .unwrap();
        let get = TransactGetItem::builder().get(get).build();
        db.transact_get_items()
            .transact_items(get)
            .send()
            .await
            .unwrap();
    })
    .await;
    let call = |op: &str, table: &str| json!({"op": op, "table": table, "region": "eu-west-1"});
    assert_eq!(
        spans.iter().map(data).collect::<Vec<_>>(),
        [
            call("batchWrite", "a,b"),
            call("batchGet", "c"),
            call("transactWrite", "a,b"),
            call("transactGet", "a"),
        ]
    );
    let sizes: Vec<_> = spans.iter().map(|span| span.integer("b.s")).collect();
    assert_eq!(sizes, [Some(3), Some(2), Some(3), None]);
    assert_eq!(
        spans[0].integer("data.sdk.custom.tags.unprocessed"),
        Some(1)
    );
    assert!(!spans[1].has("data.sdk"));
}

#[tokio::test]
async fn errors_have_their_code() {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}"#;
    let spans = recorded(Reply::Answer(400, body.to_owned()), |db| async move {
        db.put_item()
            .table_name("t")
            .item("id", value())
            .send()
            .await
            .unwrap_err();
    })
    .await;
    assert_eq!(spans[0].errors(), 1);
    assert_eq!(
        spans[0].text("data.dynamodb.error").as_deref(),
        Some("ConditionalCheckFailedException: The conditional request failed")
    );
}
