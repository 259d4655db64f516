//! Exits of SQS.

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use aws_smithy_types::Blob;
use instana::FutureExt;
use instana::span::Kind;
use instana::testing::{RecordedSpan, Recorder};
use serde_json::{Value, json};

use crate::service::{Reply, Service};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";

fn data(span: &RecordedSpan) -> Value {
    let json: Value = serde_json::from_str(&span.json()).unwrap();
    json["data"]["sqs"].clone()
}

fn text(value: &str) -> MessageAttributeValue {
    let value = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value);
    value.build().unwrap()
}

/// So many attributes of the application.
fn attributes(count: usize) -> HashMap<String, MessageAttributeValue> {
    (0..count)
        .map(|number| (format!("a{number}"), text("x")))
        .collect()
}

fn entry(
    id: &str,
    attributes: HashMap<String, MessageAttributeValue>,
) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder()
        .id(id)
        .message_body("tea")
        .set_message_attributes(Some(attributes))
        .build()
        .unwrap()
}

/// The names of a message's attributes in a request, sorted.
fn names(attributes: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = attributes
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_send_carries_its_context() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let sqs = service.sqs();
    let call = sqs
        .send_message()
        .queue_url(URL)
        .message_body("tea")
        .message_group_id("green")
        .message_attributes("color", text("red"));
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    let exit = recorder.span("sqs", Kind::Exit);
    assert_eq!(
        data(&exit),
        json!({"sort": "exit", "type": "single.sync", "queue": URL, "group": "green"})
    );
    let attributes = &service.request()["MessageAttributes"];
    assert_eq!(names(attributes), ["X_INSTANA_S", "X_INSTANA_T", "color"]);
    assert_eq!(
        attributes["X_INSTANA_T"],
        json!({"DataType": "String", "StringValue": exit.trace()})
    );
    assert_eq!(attributes["X_INSTANA_S"]["StringValue"], exit.id());
}

#[tokio::test]
async fn below_an_exit_a_message_carries_the_ids_of_the_exit() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let sqs = service.sqs();
    let call = sqs.send_message().queue_url(URL).message_body("tea");
    let call = call.message_attributes("x_instana_s", text("2"));
    let publish = async {
        let outer = instana::exit_span("publish");
        async { call.send().await }.in_span(outer).await
    };
    recorder.in_entry(publish).await.unwrap();
    let publish = recorder.labelled("publish");
    assert_eq!(recorder.spans().len(), 2, "the job and its exit");
    let attributes = &service.request()["MessageAttributes"];
    assert_eq!(names(attributes), ["X_INSTANA_S", "X_INSTANA_T"]);
    assert_eq!(attributes["X_INSTANA_T"]["StringValue"], publish.trace());
    assert_eq!(attributes["X_INSTANA_S"]["StringValue"], publish.id());
}

#[tokio::test]
async fn ten_attributes_are_the_most() {
    for (own, carried) in [(0, true), (7, true), (8, true), (9, false), (10, false)] {
        let recorder = Recorder::new();
        let service = Service::answering("{}");
        let sqs = service.sqs();
        let call = sqs.send_message().queue_url(URL).message_body("tea");
        let call = call.set_message_attributes(Some(attributes(own)));
        let omitted = instana::status().spans.contexts_omitted;
        recorder
            .in_entry(async { call.send().await })
            .await
            .unwrap();
        let request = service.request();
        let sent = request["MessageAttributes"]
            .as_object()
            .map_or(0, |sent| sent.len());
        assert_eq!(sent, own + if carried { 2 } else { 0 });
        let tag = recorder
            .span("sqs", Kind::Exit)
            .integer("data.sdk.custom.tags.messages_without_context");
        assert_eq!(tag, (!carried).then_some(1), "{own}");
        assert_eq!(recorder.span("sqs", Kind::Exit).errors(), 0);
        if !carried {
            assert!(instana::status().spans.contexts_omitted > omitted);
        }
    }
}

#[tokio::test]
async fn a_suppression_needs_one() {
    for (own, carried) in [(8, true), (9, true), (10, false)] {
        let service = Service::answering("{}");
        let sqs = service.sqs();
        let call = sqs.send_message().queue_url(URL).message_body("tea");
        let call = call.set_message_attributes(Some(attributes(own)));
        instana::FutureExt::suppress(call.send()).await.unwrap();
        let request = service.request();
        let sent = request["MessageAttributes"].as_object().unwrap();
        assert_eq!(sent.len(), own + usize::from(carried));
        assert_eq!(sent.contains_key("X_INSTANA_L"), carried);
    }
}

#[tokio::test]
async fn an_older_context_is_replaced_in_any_case_and_makes_room() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let sqs = service.sqs();
    // As a message that came in and is sent on.
    let mut attributes = attributes(8);
    attributes.insert("x_instana_t".to_owned(), text("1"));
    attributes.insert("X_Instana_S".to_owned(), text("2"));
    let call = sqs.send_message().queue_url(URL).message_body("tea");
    let call = call.set_message_attributes(Some(attributes));
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    let request = service.request();
    let sent = &request["MessageAttributes"];
    assert_eq!(sent.as_object().unwrap().len(), 10);
    assert_eq!(
        sent["X_INSTANA_T"]["StringValue"],
        recorder.span("sqs", Kind::Exit).trace()
    );
    assert_eq!(sent.get("x_instana_t"), None);
    assert_eq!(sent.get("X_Instana_S"), None);
}

#[tokio::test]
async fn attributes_of_other_types_stay() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let sqs = service.sqs();
    let number = MessageAttributeValue::builder()
        .data_type("Number.int")
        .string_value("7");
    let bytes = MessageAttributeValue::builder().data_type("Binary");
    let bytes = bytes.binary_value(Blob::new([0, 255]));
    let call = sqs
        .send_message()
        .queue_url(URL)
        .message_body("tea")
        .message_attributes("number", number.build().unwrap())
        .message_attributes("bytes", bytes.build().unwrap());
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    let request = service.request();
    let sent = &request["MessageAttributes"];
    assert_eq!(
        sent["number"],
        json!({"DataType": "Number.int", "StringValue": "7"})
    );
    assert_eq!(
        sent["bytes"],
        json!({"DataType": "Binary", "BinaryValue": "AP8="})
    );
    assert_eq!(sent.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn a_message_that_fits_is_not_made_too_large() {
    // 2 times name and type, and 32 digits of ids.
    const CONTEXT: usize = 2 * (11 + 6) + 32;
    for limit in [256 * 1024, 1024 * 1024] {
        for (len, carried) in [
            (limit - CONTEXT, true),
            (limit - CONTEXT + 1, false),
            (limit, false),
            (limit + 1, true),
        ] {
            let recorder = Recorder::new();
            let service = Service::answering("{}");
            let sqs = service.sqs();
            // An attribute counts, too: 1 for the name, 6 for the type, 3.
            let call = sqs
                .send_message()
                .queue_url(URL)
                .message_body("x".repeat(len - 10))
                .message_attributes("a", text("abc"));
            recorder
                .in_entry(async { call.send().await })
                .await
                .unwrap();
            let request = service.request();
            let is_carried = request["MessageAttributes"].get("X_INSTANA_T").is_some();
            assert_eq!(is_carried, carried, "{len} of {limit}");
        }
    }
}

#[tokio::test]
async fn a_batch_is_one_exit_and_each_message_carries_it() {
    let recorder = Recorder::new();
    let failed = r#"{"Successful":[{"Id":"1","MessageId":"m","MD5OfMessageBody":"0"}],
        "Failed":[{"Id":"2","SenderFault":true,"Code":"InvalidMessageContents","Message":"no tea"},
                  {"Id":"3","SenderFault":false,"Code":"InternalError"}]}"#;
    let service = Service::answering(failed);
    let sqs = service.sqs();
    let call = sqs
        .send_message_batch()
        .queue_url(URL)
        .entries(entry("1", attributes(0)))
        .entries(entry("2", attributes(9)))
        .entries(entry("3", attributes(8)));
    let output = recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    assert_eq!(output.failed().len(), 2, "as without tracing");

    let exit = recorder.span("sqs", Kind::Exit);
    assert_eq!(
        data(&exit),
        json!({
            "sort": "exit", "type": "batch.sync", "queue": URL, "size": 3,
            "error": "2 of 3 failed: InvalidMessageContents: no tea",
        })
    );
    assert_eq!(exit.errors(), 2);
    assert_eq!(exit.integer("b.s"), Some(3));
    assert_eq!(
        exit.integer("data.sdk.custom.tags.messages_without_context"),
        Some(1)
    );
    let request = service.request();
    let sent: Vec<usize> = request["Entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["MessageAttributes"].as_object().unwrap().len())
        .collect();
    assert_eq!(sent, [2, 9, 10]);
    for number in [0, 2] {
        let attributes = &request["Entries"][number]["MessageAttributes"];
        assert_eq!(attributes["X_INSTANA_S"]["StringValue"], exit.id());
    }
}

#[tokio::test]
async fn a_batch_that_fits_is_not_made_too_large() {
    let recorder = Recorder::new();
    let service = Service::answering(r#"{"Successful":[],"Failed":[]}"#);
    let sqs = service.sqs();
    let large = |id: &str, len: usize| {
        let entry = SendMessageBatchRequestEntry::builder().id(id);
        entry.message_body("x".repeat(len)).build().unwrap()
    };
    // Room for one context.
    let call = sqs
        .send_message_batch()
        .queue_url(URL)
        .entries(large("1", 100 * 1024))
        .entries(large("2", 156 * 1024 - 100));
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    let request = service.request();
    let carried: Vec<bool> = (0..2)
        .map(|number| {
            request["Entries"][number]
                .get("MessageAttributes")
                .is_some()
        })
        .collect();
    assert_eq!(carried, [true, false]);
}

#[tokio::test]
async fn the_group_of_a_batch_is_one_that_all_have() {
    for (groups, expected) in [
        ([Some("a"), Some("a")], Some("a")),
        ([Some("a"), Some("b")], None),
        ([Some("a"), None], None),
        ([None, None], None),
    ] {
        let recorder = Recorder::new();
        let service = Service::answering(r#"{"Successful":[],"Failed":[]}"#);
        let mut call = service.sqs().send_message_batch().queue_url(URL);
        for group in groups {
            let mut message = entry("1", attributes(0));
            message.message_group_id = group.map(str::to_owned);
            call = call.entries(message);
        }
        recorder
            .in_entry(async { call.send().await })
            .await
            .unwrap();
        assert_eq!(
            recorder
                .span("sqs", Kind::Exit)
                .text("data.sqs.group")
                .as_deref(),
            expected
        );
    }
}

#[tokio::test]
async fn a_receive_asks_for_the_context() {
    let asked = ["X_INSTANA_T", "X_INSTANA_S", "X_INSTANA_L"];
    for (own, expected) in [
        (vec![], asked.to_vec()),
        (vec!["color"], [&["color"], &asked[..]].concat()),
        (
            vec!["X_INSTANA_S"],
            vec!["X_INSTANA_S", "X_INSTANA_T", "X_INSTANA_L"],
        ),
        (vec!["All"], vec!["All"]),
        (vec![".*"], vec![".*"]),
    ] {
        // Outside of a trace, as workers are.
        let (recorder, service) = (Recorder::new(), Service::answering("{}"));
        let own = own.into_iter().map(str::to_owned).collect();
        let call = service.sqs().receive_message().queue_url(URL);
        let call = call.set_message_attribute_names(Some(own));
        recorder.scope(call.send()).await.unwrap();
        assert_eq!(service.request()["MessageAttributeNames"], json!(expected));
    }
}

#[tokio::test]
async fn without_a_tracer_a_receive_is_as_it_was() {
    let off = Recorder::builder()
        .environment(&[("INSTANA_TRACING_DISABLE", "true")])
        .build();
    let service = Service::answering("{}");
    let receive = service.sqs().receive_message().queue_url(URL);
    receive.clone().send().await.unwrap();
    off.scope(receive.send()).await.unwrap();
    for request in service.requests() {
        assert!(!request.contains("MessageAttributeNames"), "{request}");
    }
}

const TWO: &str =
    r#"{"Messages":[{"MessageId":"1","Body":"tea"},{"MessageId":"2","Body":"milk"}]}"#;

#[tokio::test]
async fn a_receive_of_nothing_leaves_no_span() {
    for body in ["{}", r#"{"Messages":[]}"#] {
        let recorder = Recorder::new();
        let sqs = Service::answering(body).sqs();
        let call = sqs.receive_message().queue_url(URL);
        recorder
            .in_entry(async { call.clone().wait_time_seconds(20).send().await })
            .await
            .unwrap();
        recorder.assert_tree("entry job");
        recorder
            .in_entry(async { call.wait_time_seconds(0).send().await })
            .await
            .unwrap();
        recorder.assert_tree("entry job\nentry job");
    }
}

#[tokio::test]
async fn the_wait_for_messages_is_no_duration() {
    const WAIT: std::time::Duration = std::time::Duration::from_millis(60);
    for (seconds, is_wait) in [(Some(20), true), (None, true), (Some(0), false)] {
        let recorder = Recorder::new();
        let service = Service::new([Reply::Late(TWO.to_owned())]);
        let sqs = service.sqs();
        let call = sqs.receive_message().queue_url(URL);
        let call = call.set_wait_time_seconds(seconds);
        let (received, ()) = recorder
            .in_entry(async {
                let release = async {
                    service.asked().await;
                    tokio::time::sleep(WAIT).await;
                    service.release();
                };
                tokio::join!(call.send(), release)
            })
            .await;
        assert_eq!(received.unwrap().messages().len(), 2);
        let exit = recorder.span("sqs", Kind::Exit);
        assert_eq!(
            data(&exit),
            json!({"sort": "exit", "type": "receive.sync", "queue": URL, "size": 2})
        );
        let waited = exit.integer("data.sdk.custom.tags.wait_ms");
        if is_wait {
            assert!(waited >= Some(60), "{waited:?}");
            assert!(exit.duration() < 60, "{} ms", exit.duration());
        } else {
            assert_eq!(waited, None);
            assert!(exit.duration() >= 60, "{} ms", exit.duration());
        }
    }
}

#[tokio::test]
async fn a_wait_that_is_given_up_is_no_error_and_one_that_fails_is() {
    let recorder = Recorder::new();
    let service = Service::new([Reply::Nothing]);
    let sqs = service.sqs();
    recorder
        .in_entry(async {
            tokio::select! {
                _ = sqs.receive_message().queue_url(URL).send() => unreachable!(),
                () = service.asked() => {}
            }
        })
        .await;
    recorder.assert_tree("entry job");

    let sqs = Service::new([Reply::Answer(403, "{}".to_owned())]).sqs();
    let call = sqs.receive_message().queue_url(URL);
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap_err();
    recorder.assert_tree("entry job\nentry job\n  exit sqs !");
}

/// Runs calls below an entry each; what they are recorded as.
async fn recorded<F: Future<Output = ()>>(
    body: &str,
    calls: impl FnOnce(Client) -> F,
) -> Vec<(String, Option<String>)> {
    let recorder = Recorder::new();
    let sqs = Service::answering(body).sqs();
    recorder.in_entry(async { calls(sqs).await }).await;
    let mut spans = recorder.spans();
    spans.retain(|span| span.kind() == Kind::Exit);
    spans
        .iter()
        .map(|span| {
            (
                span.text("data.sqs.type").unwrap(),
                span.text("data.sqs.queue"),
            )
        })
        .collect()
}

#[tokio::test]
async fn every_operation_has_its_type() {
    let body = format!(r#"{{"QueueUrl":"{URL}","Successful":[],"Failed":[]}}"#);
    let mut seen = recorded(&body, |sqs| async move {
        sqs.delete_message()
            .queue_url(URL)
            .receipt_handle("h")
            .send()
            .await
            .unwrap();
        let entry = DeleteMessageBatchRequestEntry::builder()
            .id("1")
            .receipt_handle("h");
        let entry = entry.build().unwrap();
        sqs.delete_message_batch()
            .queue_url(URL)
            .entries(entry)
            .send()
            .await
            .unwrap();
        let change = sqs
            .change_message_visibility()
            .queue_url(URL)
            .receipt_handle("h");
        change.visibility_timeout(0).send().await.unwrap();
        sqs.change_message_visibility_batch()
            .queue_url(URL)
            .send()
            .await
            .unwrap();
        sqs.delete_queue().queue_url(URL).send().await.unwrap();
        sqs.purge_queue().queue_url(URL).send().await.unwrap();
        sqs.get_queue_attributes()
            .queue_url(URL)
            .send()
            .await
            .unwrap();
        sqs.set_queue_attributes()
            .queue_url(URL)
            .send()
            .await
            .unwrap();
        sqs.list_queue_tags().queue_url(URL).send().await.unwrap();
        sqs.tag_queue()
            .queue_url(URL)
            .tags("a", "b")
            .send()
            .await
            .unwrap();
        sqs.untag_queue()
            .queue_url(URL)
            .tag_keys("a")
            .send()
            .await
            .unwrap();
        sqs.create_queue()
            .queue_name("orders")
            .send()
            .await
            .unwrap();
        sqs.get_queue_url()
            .queue_name("orders")
            .send()
            .await
            .unwrap();
    })
    .await;
    assert!(
        seen.iter().all(|(_, queue)| queue.as_deref() == Some(URL)),
        "{seen:?}"
    );
    seen.sort();
    let types: Vec<&str> = seen.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        types,
        [
            "add.tags",
            "create.queue",
            "delete.batch.sync",
            "delete.queue",
            "delete.single.sync",
            "get.attributes",
            "get.queue",
            "list.tags",
            "purge.queue",
            "remove.tags",
            "set.attributes",
            "visibility.batch.sync",
            "visibility.single.sync",
        ]
    );
}

#[tokio::test]
async fn operations_without_a_queue() {
    let seen = recorded(r#"{"QueueUrls":[]}"#, |sqs| async move {
        sqs.list_queues()
            .queue_name_prefix("or")
            .send()
            .await
            .unwrap();
        sqs.list_queues().send().await.unwrap();
        sqs.start_message_move_task()
            .source_arn("arn")
            .send()
            .await
            .unwrap();
    })
    .await;
    let own = |kind: &str, queue: Option<&str>| (kind.to_owned(), queue.map(str::to_owned));
    assert_eq!(
        seen,
        [
            own("list.queues", Some("or")),
            own("list.queues", None),
            own("startMessageMoveTask", None),
        ]
    );
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_called_by_its_name() {
    let recorder = Recorder::new();
    let body = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"}"#;
    let sqs = Service::new([Reply::Answer(400, body.to_owned())]).sqs();
    let call = sqs.get_queue_url().queue_name("orders");
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap_err();
    assert_eq!(
        data(&recorder.span("sqs", Kind::Exit)),
        json!({"sort": "exit", "type": "get.queue", "queue": "orders", "error": "QueueDoesNotExist: none"})
    );
}
