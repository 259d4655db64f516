//! Pools: what is built with our client, and what is wrapped.

use instana::testing::Recorder;
use instana_redis::{Client, Traced};
use redis::{AsyncCommands, Commands, RedisResult};

use super::{address, below_entry, commands, in_entry, key, url};

#[test]
fn r2d2() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let pool = r2d2::Pool::builder().max_size(2).build(client).unwrap();
    let name = key("r2d2");
    in_entry(&recorder, || {
        for _ in 0..3 {
            let () = pool.get().unwrap().set_ex(&name, 1, 60).unwrap();
        }
        let mut connection = pool.get().unwrap();
        let value: i64 = redis::cmd("GET").arg(&name).query(&mut connection).unwrap();
        assert_eq!(value, 1);
        redis::pipe().del(&name).exec(&mut connection).unwrap();
    });
    let expected = ["setex", "setex", "setex", "get", "pipeline"];
    assert_eq!(commands(&recorder, &address(&url())), expected);
}

/// A pool of redis's own client: what it gives is a `ConnectionLike`.
#[test]
fn r2d2_of_plain_clients() {
    let recorder = Recorder::new();
    let client = redis::Client::open(url()).unwrap();
    let pool = r2d2::Pool::builder()
        .max_size(1)
        .build(client.clone())
        .unwrap();
    in_entry(&recorder, || {
        let mut connection = Traced::with_target(pool.get().unwrap(), &client);
        let none: Option<i64> = connection.get(key("none")).unwrap();
        assert_eq!(none, None);
    });
    assert_eq!(commands(&recorder, &address(&url())), ["get"]);
}

#[tokio::test]
async fn bb8() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let pool = bb8::Pool::builder()
        .max_size(2)
        .build(client)
        .await
        .unwrap();
    let name = key("bb8");
    let calls = async {
        for _ in 0..3 {
            let () = pool.get().await.unwrap().set_ex(&name, 1, 60).await?;
        }
        let mut connection = pool.get().await.unwrap();
        redis::pipe()
            .del(&name)
            .exec_async(&mut *connection)
            .await?;
        RedisResult::Ok(())
    };
    below_entry(&recorder, calls).await.unwrap();
    let expected = ["setex", "setex", "setex", "pipeline"];
    assert_eq!(commands(&recorder, &address(&url())), expected);
}

#[tokio::test]
async fn deadpool() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let pool = instana_redis::deadpool::Pool::builder(client)
        .max_size(2)
        .build()
        .unwrap();
    let name = key("deadpool");
    let calls = async {
        for _ in 0..3 {
            let () = pool.get().await.unwrap().set_ex(&name, 1, 60).await?;
        }
        let mut connection = pool.get().await.unwrap();
        redis::cmd("GET")
            .arg(&name)
            .exec_async(&mut connection)
            .await?;
        redis::pipe().del(&name).exec_async(&mut connection).await?;
        RedisResult::Ok(())
    };
    below_entry(&recorder, calls).await.unwrap();
    let expected = ["setex", "setex", "setex", "get", "pipeline"];
    assert_eq!(commands(&recorder, &address(&url())), expected);
}

#[tokio::test]
async fn deadpool_redis() {
    let recorder = Recorder::new();
    let config = deadpool_redis::Config::from_url(url());
    let pool = config
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    let calls = async {
        for _ in 0..2 {
            let connection = pool.get().await.unwrap();
            let mut connection = Traced::with_target(connection, url());
            let none: Option<i64> = connection.get(key("none")).await.unwrap();
            assert_eq!(none, None);
        }
    };
    below_entry(&recorder, calls).await;
    assert_eq!(commands(&recorder, &address(&url())), ["get", "get"]);
}
