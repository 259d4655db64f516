//! Commands that wait, and answers that do not come.

use std::time::Duration;

use instana::testing::Recorder;
use instana_redis::Client;
use redis::{AsyncCommands, AsyncConnectionConfig};

use super::{address, below_entry, commands, exits, key, url};

/// Without a limit of the client's own.
async fn patient(client: &Client) -> instana_redis::MultiplexedConnection {
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    connection.await.unwrap()
}

#[tokio::test]
async fn a_wait_is_told_and_no_error() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let (mut waiting, mut other) = (patient(&client).await, patient(&client).await);
    let name = key("queue");
    let calls = async {
        let nothing: Option<(String, String)> = waiting.blpop(&name, 0.1).await.unwrap();
        assert_eq!(nothing, None);
        let () = other.lpush(&name, "geheim").await.unwrap();
        let something: Option<(String, String)> = waiting.blpop(&name, 30.0).await.unwrap();
        assert_eq!(something.unwrap().1, "geheim");
    };
    below_entry(&recorder, calls).await;
    assert_eq!(
        commands(&recorder, &address(&url())),
        ["blpop", "lpush", "blpop"]
    );
    let exits = exits(&recorder);
    let waited = exits[0].integer("data.sdk.custom.tags.wait_ms").unwrap();
    assert!((90..20_000).contains(&waited), "{waited} ms");
    let timed_out = |at: usize| exits[at].boolean("data.sdk.custom.tags.wait_timed_out");
    assert_eq!((timed_out(0), timed_out(2)), (Some(true), None));
    assert!(exits.iter().all(|exit| exit.errors() == 0));
}

#[tokio::test]
async fn the_client_s_own_limit_is_an_error() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let mut connection = patient(&client).await;
    connection.set_response_timeout(Duration::from_millis(50));
    let call = connection.blpop::<_, Option<(String, String)>>(key("empty"), 2.0);
    let error = below_entry(&recorder, call).await.unwrap_err();
    assert!(error.is_timeout());
    let exit = &exits(&recorder)[0];
    assert_eq!(exit.errors(), 1);
    assert_eq!(exit.error_text().unwrap(), error.to_string());
}

#[tokio::test]
async fn a_call_that_is_given_up_says_so_and_the_connection_lives() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let mut connection = patient(&client).await;
    let calls = async {
        let call = connection.blpop::<_, Option<(String, String)>>(key("empty"), 0.2);
        let given_up = tokio::time::timeout(Duration::from_millis(20), call).await;
        assert!(given_up.is_err());
        let answer: String = redis::cmd("PING")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(answer, "PONG");
    };
    below_entry(&recorder, calls).await;
    assert_eq!(commands(&recorder, &address(&url())), ["blpop", "ping"]);
    let errors: Vec<_> = exits(&recorder)
        .iter()
        .map(|exit| exit.error_text())
        .collect();
    assert!(
        errors[0]
            .as_deref()
            .unwrap()
            .starts_with("cancelled after ")
    );
    assert_eq!(errors[1], None);
}
