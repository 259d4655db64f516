//! A sentinel, whose master is called `main`.

use instana::testing::Recorder;
use instana_redis::sentinel::{Sentinel, SentinelClient};
use redis::sentinel::SentinelServerType;
use redis::{AsyncCommands, Commands, RedisResult};

use super::{address, below_entry, commands, exits, in_entry, key, variable};

fn sentinels() -> Vec<String> {
    let sentinels = variable("REDIS_SENTINEL_URLS");
    sentinels.split(',').map(str::to_owned).collect()
}

fn client(name: &str) -> SentinelClient {
    let kind = SentinelServerType::Master;
    SentinelClient::build(sentinels(), name.to_owned(), None, kind).unwrap()
}

/// What the sentinel says.
fn master() -> String {
    let mut sentinel = redis::Client::open(sentinels()[0].as_str()).unwrap();
    let (host, port): (String, u16) = redis::cmd("SENTINEL")
        .arg("get-master-addr-by-name")
        .arg("main")
        .query(&mut sentinel)
        .unwrap();
    format!("{host}:{port}")
}

#[tokio::test]
async fn exits_name_the_master() {
    let recorder = Recorder::new();
    let name = key("sentinel");
    let calls = async {
        let mut connection = client("main").get_async_connection().await?;
        let () = connection.set_ex(&name, 7, 60).await?;
        let mut sentinel = Sentinel::build(sentinels())?;
        let found = sentinel.async_master_for("main", None).await?;
        let mut connection = found.get_multiplexed_async_connection().await?;
        let value: i64 = connection.get(&name).await?;
        assert_eq!(value, 7);
        RedisResult::Ok(())
    };
    below_entry(&recorder, calls).await.unwrap();
    assert_eq!(commands(&recorder, &master()), ["setex", "get"]);

    let recorder = Recorder::new();
    in_entry(&recorder, || {
        let mut connection = client("main").get_connection()?;
        let () = connection.del(&name)?;
        let mut sentinel = Sentinel::build(sentinels())?;
        let none: Option<i64> = sentinel.master_for("main", None)?.get(&name)?;
        assert_eq!(none, None);
        RedisResult::Ok(())
    })
    .unwrap();
    assert_eq!(commands(&recorder, &master()), ["del", "get"]);
}

#[tokio::test]
async fn a_master_that_nobody_knows_is_an_error() {
    let recorder = Recorder::new();
    let mut unknown = client("other");
    let call = async { unknown.get_async_connection().await };
    let error = below_entry(&recorder, call).await;
    let error = error.err().unwrap();
    assert_eq!(error.kind(), redis::ErrorKind::MasterNameNotFoundBySentinel);
    assert_eq!(commands(&recorder, &address(&sentinels()[0])), ["connect"]);
    assert_eq!(exits(&recorder)[0].errors(), 1);
}
