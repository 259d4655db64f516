//! The shop that sends orders, and the worker that handles them.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use instana::FutureExt;
use instana_aws_sdk::MessageExt;

use crate::Outcome;

/// Sends one order, below the entry of the request that it came with.
pub(crate) async fn place(sqs: &Client, queue: &str, number: u32) -> Outcome<()> {
    let send = async {
        instana::current(|entry| entry.tag("order", number));
        let send = sqs.send_message().queue_url(queue);
        send.message_body(number.to_string()).send().await
    };
    send.in_span(instana::entry_span("place an order")).await?;
    Ok(())
}

/// Handles so many orders. The worker's own calls are outside of traces.
pub(crate) async fn work(sqs: &Client, queue: &str, orders: usize) -> Outcome<()> {
    let mut done = 0;
    while done < orders {
        let receive = sqs.receive_message().queue_url(queue);
        let receive = receive.max_number_of_messages(10).wait_time_seconds(1);
        let received = receive.send().await?;
        for message in received.messages() {
            let handled = handle(sqs, queue, message);
            message.in_entry_span_of(queue, handled).await?;
            done += 1;
        }
    }
    Ok(())
}

/// Delivers an order and takes it off the queue, inside the entry of its message.
async fn handle(sqs: &Client, queue: &str, message: &Message) -> Outcome<()> {
    let order = message.body().unwrap_or_default();
    let deliver = async { tokio::time::sleep(Duration::from_millis(5)).await };
    let mut exit = instana::exit_span("deliver");
    exit.tag("order", order);
    deliver.in_span(exit).await;
    let delete = sqs.delete_message().queue_url(queue);
    let delete = delete.set_receipt_handle(message.receipt_handle.clone());
    delete.send().await?;
    Ok(())
}
