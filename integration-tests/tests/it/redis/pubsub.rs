//! Publishing is recorded, subscribing is passed on.

use futures_util::StreamExt;
use instana::testing::Recorder;
use instana_redis::Client;
use redis::{
    AsyncCommands, AsyncConnectionConfig, Commands, ControlFlow, PubSubCommands, PushInfo, PushKind,
};

use super::{address, below_entry, commands, in_entry, key, url};

#[tokio::test]
async fn messages_arrive() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let channel = key("news");
    let mut pubsub = client.get_async_pubsub().await.unwrap();
    pubsub.subscribe(&channel).await.unwrap();
    let calls = async {
        let heard: i64 = connection.publish(&channel, "geheim").await.unwrap();
        assert_eq!(heard, 1);
        let message = pubsub.on_message().next().await.unwrap();
        assert_eq!(message.get_payload::<String>().unwrap(), "geheim");
    };
    below_entry(&recorder, calls).await;
    assert_eq!(commands(&recorder, &address(&url())), ["publish"]);
    assert!(!recorder.snapshot().contains("geheim"));
}

#[tokio::test]
async fn pushes_of_resp3_pass() {
    let recorder = Recorder::new();
    let client = Client::open(format!("{}/?protocol=resp3", url())).unwrap();
    let (sender, mut pushed) = tokio::sync::mpsc::unbounded_channel::<PushInfo>();
    let config = AsyncConnectionConfig::new().set_push_sender(sender);
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    let mut connection = connection.await.unwrap();
    let channel = key("pushes");
    let calls = async {
        connection.subscribe(&channel).await.unwrap();
        // The connection can do both.
        let heard: i64 = connection.publish(&channel, "geheim").await.unwrap();
        assert_eq!(heard, 1);
        loop {
            let push = pushed.recv().await.unwrap();
            if push.kind == PushKind::Message {
                break;
            }
        }
        connection.unsubscribe(&channel).await.unwrap();
        let kinds: std::collections::HashMap<String, i64> = redis::pipe()
            .hset(&channel, "a", 1)
            .ignore()
            .hgetall(&channel)
            .query_async::<(_,)>(&mut connection)
            .await
            .unwrap()
            .0;
        assert_eq!(kinds["a"], 1);
        let () = connection.del(&channel).await.unwrap();
    };
    below_entry(&recorder, calls).await;
    assert_eq!(
        commands(&recorder, &address(&url())),
        ["publish", "pipeline", "del"]
    );
}

#[test]
fn sync_connections_subscribe() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let (mut connection, mut publisher) = (
        client.get_connection().unwrap(),
        client.get_connection().unwrap(),
    );
    let channel = key("sync news");
    in_entry(&recorder, || {
        {
            let mut pubsub = connection.as_pubsub();
            pubsub.subscribe(&channel).unwrap();
            let heard: i64 = publisher.publish(&channel, "geheim").unwrap();
            assert_eq!(heard, 1);
            assert_eq!(pubsub.get_message().unwrap().get_channel_name(), channel);
        }
        // A message that is there already ends the loop.
        let received = std::thread::scope(|scope| {
            scope.spawn(|| {
                while publisher
                    .inner_mut()
                    .publish::<_, _, i64>(&channel, "x")
                    .unwrap()
                    == 0
                {
                    std::thread::yield_now();
                }
            });
            connection.subscribe(&channel, |message| {
                ControlFlow::Break(message.get_payload::<String>())
            })
        });
        assert_eq!(received.unwrap().unwrap(), "x");
        let none: Option<i64> = connection.get(key("none")).unwrap();
        assert_eq!(none, None);
    });
    assert_eq!(commands(&recorder, &address(&url())), ["publish", "get"]);
}
