//! Exits of S3.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use instana::testing::Recorder;
use serde_json::{Value, json};

use crate::service::{Reply, Service};

/// Runs calls below an entry; what is recorded of them.
async fn recorded<F: Future<Output = ()>>(
    reply: Reply,
    calls: impl FnOnce(aws_sdk_s3::Client) -> F,
) -> Vec<Value> {
    let recorder = Recorder::new();
    let s3 = Service::new([reply]).s3();
    recorder.in_entry(async { calls(s3).await }).await;
    let mut spans = recorder.spans();
    spans.retain(|span| span.name() == "s3");
    spans
        .iter()
        .map(|span| {
            let json: Value = serde_json::from_str(&span.json()).unwrap();
            json["data"]["s3"].clone()
        })
        .collect()
}

#[tokio::test]
async fn operations_have_the_words_of_siblings() {
    let seen = recorded(Reply::ok(""), |s3| async move {
        let body = ByteStream::from_static(b"tea");
        s3.put_object()
            .bucket("b")
            .key("k/7")
            .body(body)
            .send()
            .await
            .unwrap();
        s3.get_object().bucket("b").key("k/7").send().await.unwrap();
        s3.head_object()
            .bucket("b")
            .key("k/7")
            .send()
            .await
            .unwrap();
        s3.delete_object()
            .bucket("b")
            .key("k/7")
            .send()
            .await
            .unwrap();
        s3.create_bucket().bucket("b").send().await.unwrap();
        s3.delete_bucket().bucket("b").send().await.unwrap();
        s3.get_object_tagging()
            .bucket("b")
            .key("k/7")
            .send()
            .await
            .unwrap_err();
        s3.delete_bucket_policy().bucket("b").send().await.unwrap();
    })
    .await;
    let object = |op: &str| json!({"op": op, "bucket": "b", "key": "k/7", "region": "eu-west-1"});
    let bucket = |op: &str| json!({"op": op, "bucket": "b", "region": "eu-west-1"});
    let mut tagging = object("getObjectTagging");
    tagging["error"] = seen[6]["error"].clone();
    assert!(tagging["error"].is_string());
    assert_eq!(
        seen,
        [
            object("put"),
            object("get"),
            object("metadata"),
            object("delete"),
            bucket("createBucket"),
            bucket("deleteBucket"),
            tagging,
            json!({"op": "deleteBucketPolicy", "region": "eu-west-1"}),
        ]
    );
}

#[tokio::test]
async fn lists_have_what_keys_begin_with() {
    let list = "<ListBucketResult><Name>b</Name></ListBucketResult>";
    let seen = recorded(Reply::ok(list), |s3| async move {
        s3.list_objects_v2()
            .bucket("b")
            .prefix("k/")
            .send()
            .await
            .unwrap();
        s3.list_objects().bucket("b").send().await.unwrap();
    })
    .await;
    assert_eq!(
        seen,
        [
            json!({"op": "list", "bucket": "b", "key": "k/", "region": "eu-west-1"}),
            json!({"op": "list", "bucket": "b", "region": "eu-west-1"}),
        ]
    );
}

#[tokio::test]
async fn what_is_not_there_is_an_error_of_get_only() {
    let missing = "<Error><Code>NoSuchKey</Code><Message>No tea</Message></Error>";
    let seen = recorded(Reply::Answer(404, missing.to_owned()), |s3| async move {
        s3.get_object()
            .bucket("b")
            .key("k")
            .send()
            .await
            .unwrap_err();
        s3.head_object()
            .bucket("b")
            .key("k")
            .send()
            .await
            .unwrap_err();
    })
    .await;
    assert_eq!(seen[0]["error"], "NoSuchKey: No tea");
    assert_eq!(seen[1].get("error"), None);
}

#[tokio::test]
async fn a_request_signed_for_others_is_no_call() {
    let seen = recorded(Reply::ok(""), |s3| async move {
        let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
        let request = s3
            .get_object()
            .bucket("b")
            .key("k")
            .presigned(config)
            .await
            .unwrap();
        assert!(request.uri().contains("X-Amz-Signature"));
    })
    .await;
    assert_eq!(seen, [] as [Value; 0]);
}

#[tokio::test]
async fn an_exit_ends_before_the_body_is_read() {
    let recorder = Recorder::new();
    let s3 = Service::answering("tea").s3();
    recorder
        .in_entry(async {
            let object = s3.get_object().bucket("b").key("k").send().await.unwrap();
            assert_eq!(recorder.spans().len(), 1);
            assert_eq!(object.body.collect().await.unwrap().into_bytes(), "tea");
        })
        .await;
    recorder.assert_tree("entry job\n  exit s3");
}
