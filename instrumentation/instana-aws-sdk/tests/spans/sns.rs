//! Exits of SNS.

use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use instana::FutureExt;
use instana::span::Kind;
use instana::testing::{RecordedSpan, Recorder};
use serde_json::{Value, json};

use crate::service::Service;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:orders";

const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
    <PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";

const BATCH: &str = "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
    <PublishBatchResult><Successful><member><Id>1</Id><MessageId>1</MessageId></member></Successful>\
    <Failed><member><Id>2</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member></Failed>\
    </PublishBatchResult></PublishBatchResponse>";

fn data(span: &RecordedSpan) -> Value {
    let json: Value = serde_json::from_str(&span.json()).unwrap();
    json["data"]["sns"].clone()
}

fn text(value: &str) -> MessageAttributeValue {
    let value = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value);
    value.build().unwrap()
}

/// The names of attributes in the form of a request, in their order.
fn names(request: &str) -> Vec<&str> {
    request
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| key.ends_with(".Name"))
        .map(|(_, name)| name)
        .collect()
}

#[tokio::test]
async fn what_is_published_carries_its_context() {
    let recorder = Recorder::new();
    let service = Service::answering(PUBLISHED);
    let sns = service.sns();
    let call = sns
        .publish()
        .topic_arn(TOPIC)
        .subject("order 7")
        .message("tea");
    let call = call.message_attributes("color", text("red"));
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    let exit = recorder.span("sns", Kind::Exit);
    assert_eq!(data(&exit), json!({"topic": TOPIC, "subject": "order 7"}));
    assert_eq!(exit.parent(), recorder.labelled("job").id());
    let requests = service.requests();
    let mut names = names(&requests[0]);
    names.sort_unstable();
    assert_eq!(names, ["X_INSTANA_S", "X_INSTANA_T", "color"]);
    assert!(requests[0].contains(&exit.trace()) && requests[0].contains(&exit.id()));
}

#[tokio::test]
async fn ten_attributes_are_the_most() {
    for (own, carried) in [(8, true), (9, false)] {
        let recorder = Recorder::new();
        let service = Service::answering(PUBLISHED);
        let mut call = service.sns().publish().target_arn(TOPIC).message("tea");
        for number in 0..own {
            call = call.message_attributes(format!("a{number}"), text("x"));
        }
        recorder
            .in_entry(async { call.send().await })
            .await
            .unwrap();
        assert_eq!(
            names(&service.requests()[0]).len(),
            own + if carried { 2 } else { 0 }
        );
        let exit = recorder.span("sns", Kind::Exit);
        assert_eq!(data(&exit), json!({"target": TOPIC}));
        let tag = exit.integer("data.sdk.custom.tags.messages_without_context");
        assert_eq!(tag, (!carried).then_some(1));
    }
}

#[tokio::test]
async fn a_batch_is_one_exit_and_each_message_carries_it() {
    let recorder = Recorder::new();
    let service = Service::answering(BATCH);
    let entry = |id: &str| {
        let entry = PublishBatchRequestEntry::builder().id(id).message("tea");
        entry.build().unwrap()
    };
    let sns = service.sns();
    let call = sns.publish_batch().topic_arn(TOPIC);
    let call = call
        .publish_batch_request_entries(entry("1"))
        .publish_batch_request_entries(entry("2"));
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    let exit = recorder.span("sns", Kind::Exit);
    assert_eq!(
        data(&exit),
        json!({"topic": TOPIC, "error": "1 of 2 failed: InternalError"})
    );
    assert_eq!((exit.errors(), exit.integer("b.s")), (1, Some(2)));
    assert_eq!(names(&service.requests()[0]).len(), 4);
}

#[tokio::test]
async fn a_text_message_carries_nothing() {
    let recorder = Recorder::new();
    let service = Service::answering(PUBLISHED);
    let sns = service.sns();
    let call = sns.publish().phone_number("+4912345").message("tea");
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    assert_eq!(
        data(&recorder.span("sns", Kind::Exit)),
        json!({"phone": "…45"})
    );
    assert_eq!(names(&service.requests()[0]), [] as [&str; 0]);
}

#[tokio::test]
async fn suppression_goes_on_and_other_operations_are_no_spans() {
    let recorder = Recorder::new();
    let service = Service::answering(PUBLISHED);
    let sns = service.sns();
    let call = sns.publish().topic_arn(TOPIC).message("tea");
    recorder
        .in_entry(async { call.send().suppress().await })
        .await
        .unwrap();
    assert_eq!(names(&service.requests()[0]), ["X_INSTANA_L"]);
    let service =
        Service::answering("<ListTopicsResponse><ListTopicsResult/></ListTopicsResponse>");
    let sns = service.sns();
    recorder
        .in_entry(async { sns.list_topics().send().await })
        .await
        .unwrap();
    recorder.assert_tree("entry job\nentry job");
}
