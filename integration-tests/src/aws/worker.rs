//! Receivers of messages.

use aws_sdk_sqs::types::Message;
use futures_util::lock::Mutex;
use futures_util::{FutureExt as _, StreamExt, stream};
use instana_aws_sdk::MessageExt;

use crate::Outcome;
use crate::clients::Clients;

/// How often a queue is asked before there is thought to be nothing.
const ATTEMPTS: u32 = 10;

/// Receives one message and sends another below its entry. The answer: the
/// attributes that the application saw.
pub(crate) async fn relay(clients: &Clients, from: &str, to: &str) -> Outcome<String> {
    let message = one(clients, from).await?;
    let handled = async {
        let send = clients.sqs.send_message().queue_url(to);
        send.message_body("milk").send().await?;
        delete(clients, from, &message).await
    };
    message.in_entry_span_of(from, handled).await?;
    let mut names: Vec<&str> = message
        .message_attributes()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    Ok(names.join(" "))
}

/// Handles so many messages, 32 at a time.
pub(crate) async fn work(clients: &Clients, queue: &str, count: usize) -> Outcome<String> {
    let mut messages = Vec::new();
    while messages.len() < count {
        messages.append(&mut receive(clients, queue).await?);
    }
    // Moto loses one of two deletions that are made at the same time.
    let deletes = Mutex::new(());
    let handled = stream::iter(&messages).map(|message| {
        message.in_entry_span_of(queue, async {
            let batch = message.body().unwrap_or_default();
            instana::current(|entry| entry.tag("batch", batch));
            tokio::task::yield_now().await;
            instana::exit_span("store").tag("batch", batch);
            let _one = deletes.lock().await;
            delete(clients, queue, message).await
        })
    });
    let results: Vec<Outcome<()>> = handled.buffer_unordered(32).collect().await;
    let count = results.into_iter().collect::<Outcome<Vec<()>>>()?.len();
    Ok(count.to_string())
}

#[expect(clippy::panic, reason = "what the test is about")]
async fn poisoned() {
    panic!("poison");
}

/// Handles one message, twice: the first time, the handler panics before it
/// deletes the message, and the worker gives it back.
pub(crate) async fn panicking(clients: &Clients, queue: &str) -> Outcome<String> {
    let poison = one(clients, queue).await?;
    let handled = poison.in_entry_span_of(queue, poisoned());
    let outcome = std::panic::AssertUnwindSafe(handled).catch_unwind().await;
    let back = clients.sqs.change_message_visibility().queue_url(queue);
    let back = back.set_receipt_handle(poison.receipt_handle.clone());
    back.visibility_timeout(0).send().await?;
    let again = one(clients, queue).await?;
    let handled = again.in_entry_span_of(queue, delete(clients, queue, &again));
    handled.await?;
    let is_same = poison.message_id == again.message_id;
    Ok(format!("{} {is_same}", outcome.is_err()))
}

/// One receive that waits for a second, and what it brought.
pub(crate) async fn poll(clients: &Clients, queue: &str) -> Outcome<String> {
    let call = clients.sqs.receive_message().queue_url(queue);
    let received = call.wait_time_seconds(1).send().await?;
    Ok(received.messages().len().to_string())
}

async fn one(clients: &Clients, queue: &str) -> Outcome<Message> {
    for _ in 0..ATTEMPTS {
        let call = clients.sqs.receive_message().queue_url(queue);
        let call = call.max_number_of_messages(1).wait_time_seconds(1);
        let received = call.send().await?;
        if let Some(message) = received.messages.into_iter().flatten().next() {
            return Ok(message);
        }
    }
    Err("no message came".into())
}

async fn receive(clients: &Clients, queue: &str) -> Outcome<Vec<Message>> {
    for _ in 0..ATTEMPTS {
        let call = clients.sqs.receive_message().queue_url(queue);
        let call = call.max_number_of_messages(10).wait_time_seconds(1);
        let messages = call.send().await?.messages.unwrap_or_default();
        if !messages.is_empty() {
            return Ok(messages);
        }
    }
    Err("no messages came".into())
}

async fn delete(clients: &Clients, queue: &str, message: &Message) -> Outcome<()> {
    let call = clients.sqs.delete_message().queue_url(queue);
    let call = call.set_receipt_handle(message.receipt_handle.clone());
    call.send().await?;
    Ok(())
}
