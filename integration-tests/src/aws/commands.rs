//! The commands that tests can send.

use std::time::Duration;

use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};
use instana::FutureExt;

use crate::clients::Clients;
use crate::{Outcome, worker};

/// Obeys one line; the answer is one line too.
pub(crate) async fn obey(clients: &Clients, line: &str) -> Outcome<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        // Sends what was recorded.
        ["flush"] => return Ok(instana::flush(Duration::from_secs(10)).to_string()),
        // Recorded spans, and messages that went out without their context.
        ["counts"] => {
            let spans = instana::status().spans;
            return Ok(format!("{} {}", spans.recorded(), spans.contexts_omitted));
        }
        ["create-queue", name] => return create_queue(clients, name).await,
        // A topic whose messages go to a queue, in an envelope.
        ["create-topic", name, queue] => return create_topic(clients, name, queue).await,
        // The messages that are left: visible and in flight.
        ["left", queue] => return left(clients, queue).await,
        // A message with so many attributes of its own, below an entry.
        ["send", queue, own] => {
            let send = send(clients, queue, own.parse()?);
            send.in_span(instana::entry_span("sender")).await?;
        }
        ["send-suppressed", queue] => send(clients, queue, 0).suppress().await?,
        // So many batches of ten, each below an entry of its own.
        ["send-batches", queue, count] => {
            for number in 0..count.parse()? {
                let mut entry = instana::entry_span("sender");
                entry.tag("batch", number);
                send_batch(clients, queue, number).in_span(entry).await?;
            }
        }
        ["publish", topic] => {
            let entry = instana::entry_span("publisher");
            publish(clients, topic).in_span(entry).await?;
        }
        ["relay", from, to] => return worker::relay(clients, from, to).await,
        ["work", queue, count] => return worker::work(clients, queue, count.parse()?).await,
        ["work-panicking", queue] => return worker::panicking(clients, queue).await,
        ["poll", queue] => {
            let entry = instana::entry_span("poller");
            return worker::poll(clients, queue).in_span(entry).await;
        }
        ["queues"] => {
            queues(clients)
                .in_span(instana::entry_span("queues"))
                .await?;
        }
        ["storage"] => {
            storage(clients)
                .in_span(instana::entry_span("storage"))
                .await?;
        }
        _ => return Err(format!("unknown: {line}").into()),
    }
    Ok("done".to_owned())
}

async fn create_queue(clients: &Clients, name: &str) -> Outcome<String> {
    let queue = clients.sqs.create_queue().queue_name(name).send().await?;
    Ok(queue.queue_url.unwrap_or_default())
}

async fn create_topic(clients: &Clients, name: &str, queue: &str) -> Outcome<String> {
    let topic = clients.sns.create_topic().name(name).send().await?;
    let topic = topic.topic_arn.unwrap_or_default();
    let attributes = clients
        .sqs
        .get_queue_attributes()
        .queue_url(queue)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await?;
    let arn = attributes.attributes().and_then(|attributes| {
        let arn = attributes.get(&QueueAttributeName::QueueArn);
        arn.cloned()
    });
    clients
        .sns
        .subscribe()
        .topic_arn(&topic)
        .protocol("sqs")
        .set_endpoint(arn)
        .send()
        .await?;
    Ok(topic)
}

async fn left(clients: &Clients, queue: &str) -> Outcome<String> {
    let (visible, in_flight) = (
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    );
    let output = clients
        .sqs
        .get_queue_attributes()
        .queue_url(queue)
        .attribute_names(visible.clone())
        .attribute_names(in_flight.clone())
        .send()
        .await?;
    let value = |name| output.attributes()?.get(name).map(String::as_str);
    Ok([&visible, &in_flight]
        .map(|name| value(name).unwrap_or_default())
        .join(" "))
}

async fn send(clients: &Clients, queue: &str, own: usize) -> Outcome<()> {
    let mut call = clients
        .sqs
        .send_message()
        .queue_url(queue)
        .message_body("tea");
    for number in 0..own {
        let value = MessageAttributeValue::builder()
            .data_type("Number")
            .string_value("7");
        call = call.message_attributes(format!("a{number}"), value.build()?);
    }
    call.send().await?;
    Ok(())
}

async fn send_batch(clients: &Clients, queue: &str, batch: u32) -> Outcome<()> {
    let mut call = clients.sqs.send_message_batch().queue_url(queue);
    for number in 0..10 {
        let entry = SendMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .message_body(batch.to_string());
        call = call.entries(entry.build()?);
    }
    call.send().await?;
    Ok(())
}

async fn publish(clients: &Clients, topic: &str) -> Outcome<()> {
    let call = clients.sns.publish().topic_arn(topic);
    call.subject("order 7").message("tea").send().await?;
    Ok(())
}

/// The life of a queue.
async fn queues(clients: &Clients) -> Outcome<()> {
    let sqs = &clients.sqs;
    let url = create_queue(clients, "short-lived").await?;
    sqs.get_queue_url().queue_name("short-lived").send().await?;
    sqs.purge_queue().queue_url(&url).send().await?;
    sqs.delete_queue().queue_url(&url).send().await?;
    // There is none any more.
    let missing = sqs.get_queue_url().queue_name("short-lived").send().await;
    match missing {
        Ok(_) => Err("a queue that was deleted".into()),
        Err(_) => Ok(()),
    }
}

/// An object and an item.
async fn storage(clients: &Clients) -> Outcome<()> {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
        ScalarAttributeType,
    };
    use aws_sdk_s3::primitives::ByteStream;

    let s3 = &clients.s3;
    // A bucket of an earlier run is as good.
    let _ = s3.create_bucket().bucket("teas").send().await;
    let body = ByteStream::from_static(b"green");
    s3.put_object()
        .bucket("teas")
        .key("list/7")
        .body(body)
        .send()
        .await?;
    let object = s3.get_object().bucket("teas").key("list/7").send().await?;
    if object.body.collect().await?.into_bytes() != "green" {
        return Err("another object".into());
    }
    let head = s3.head_object().bucket("teas").key("none").send().await;
    let get = s3.get_object().bucket("teas").key("none").send().await;
    if head.is_ok() || get.is_ok() {
        return Err("an object that is not there".into());
    }

    let db = &clients.dynamodb;
    let _ = db.delete_table().table_name("teas").send().await;
    let key = KeySchemaElement::builder()
        .attribute_name("id")
        .key_type(KeyType::Hash);
    let id = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S);
    db.create_table()
        .table_name("teas")
        .key_schema(key.build()?)
        .attribute_definitions(id.build()?)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    let value = || AttributeValue::S("hidden-7".to_owned());
    db.put_item()
        .table_name("teas")
        .item("id", value())
        .send()
        .await?;
    db.get_item()
        .table_name("teas")
        .key("id", value())
        .send()
        .await?;
    Ok(())
}
