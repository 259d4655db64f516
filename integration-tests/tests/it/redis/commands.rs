//! Every way to send a command, to a server.

use futures_util::StreamExt;
use instana::testing::Recorder;
use instana_redis::Client;
use redis::{AsyncCommands, Commands, RedisResult, Script};

use super::{address, below_entry, commands, exits, in_entry, key, url};

#[tokio::test]
async fn async_calls_of_all_forms() {
    let recorder = Recorder::new();
    let client = Client::open(format!("{}/3", url())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let name = key("forms");
    let calls = async {
        let () = AsyncCommands::set_ex(&mut connection, &name, "geheim", 60).await?;
        let typed: Option<String> = redis::AsyncTypedCommands::get(&mut connection, &name).await?;
        assert_eq!(typed.as_deref(), Some("geheim"));
        let none: Option<String> = AsyncCommands::get(&mut connection, key("none")).await?;
        assert_eq!(none, None);
        let length: i64 = redis::cmd("STRLEN")
            .arg(&name)
            .query_async(&mut connection)
            .await?;
        assert_eq!(length, 6);
        let (old, left): (String, i64) = redis::pipe()
            .get(&name)
            .del(&name)
            .query_async(&mut connection)
            .await?;
        assert_eq!((old.as_str(), left), ("geheim", 1));
        let heard: i64 = AsyncCommands::publish(&mut connection, &name, "geheim").await?;
        assert_eq!(heard, 0);
        RedisResult::Ok(())
    };
    below_entry(&recorder, calls).await.unwrap();
    let expected = ["setex", "get", "get", "strlen", "pipeline", "publish"];
    let connection = format!("{}/3", address(&url()));
    assert_eq!(commands(&recorder, &connection), expected);
    assert!(exits(&recorder).iter().all(|exit| exit.errors() == 0));
    assert!(!recorder.snapshot().contains("geheim"));
}

#[test]
fn sync_calls_of_all_forms() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let name = key("sync");
    in_entry(&recorder, || {
        let mut connection = client.get_connection()?;
        let () = connection.set_ex(&name, 7, 60)?;
        let value: i64 = redis::cmd("GET").arg(&name).query(&mut connection)?;
        assert_eq!(value, 7);
        let (value, other): (i64, Option<i64>) = redis::pipe()
            .atomic()
            .incr(&name, 1)
            .get(key("none"))
            .query(&mut connection)?;
        assert_eq!((value, other), (8, None));
        let sum: i64 = redis::transaction(&mut connection, &[&name], |connection, pipe| {
            let old: i64 = connection.get(&name)?;
            let new: Option<(i64,)> = pipe.incr(&name, old).query(connection)?;
            Ok(new.map(|(new,)| new))
        })?;
        assert_eq!(sum, 16);
        // The client is a connection, too.
        let () = client.clone().del(&name)?;
        RedisResult::Ok(())
    })
    .unwrap();
    let expected = [
        "setex", "get", "multi", "watch", "get", "multi", "unwatch", "del",
    ];
    assert_eq!(commands(&recorder, &address(&url())), expected);
}

#[tokio::test]
async fn a_transaction_whose_key_changes_begins_again() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let plain = client.inner().get_multiplexed_async_connection().await;
    let (plain, name) = (plain.unwrap(), key("watched"));
    let (keys, mut attempts) = ([&name], 0);
    let transaction = redis::aio::transaction_async(connection, &keys, |mut watching, mut pipe| {
        attempts += 1;
        let (mut other, name, disturb) = (plain.clone(), name.clone(), attempts == 1);
        async move {
            if disturb {
                let () = AsyncCommands::set_ex(&mut other, &name, 1, 60).await?;
            }
            let answer: Option<(i64,)> = pipe.incr(&name, 1).query_async(&mut watching).await?;
            Ok(answer)
        }
    });
    assert_eq!(below_entry(&recorder, transaction).await.unwrap(), (2,));
    let expected = ["watch", "multi", "unwatch", "watch", "multi", "unwatch"];
    assert_eq!(commands(&recorder, &address(&url())), expected);
    let aborted = exits(&recorder)[1].boolean("data.sdk.custom.tags.aborted");
    assert_eq!(aborted, Some(true));
    assert!(exits(&recorder).iter().all(|exit| exit.errors() == 0));
}

#[tokio::test]
async fn a_script_is_loaded_once() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let script = Script::new(&format!("return ARGV[1] + 1 -- {}", key("script")));
    let calls = async {
        for number in 1..3 {
            let mut call = script.prepare_invoke();
            let sum: i64 = call
                .arg(number)
                .invoke_async(&mut connection)
                .await
                .unwrap();
            assert_eq!(sum, number + 1);
        }
        let broken = Script::new("return redis.call('GET', 'geheim', 'geheim')");
        let error = broken.invoke_async::<_, i64>(&mut connection).await;
        assert!(error.unwrap_err().to_string().contains("rong number"));
    };
    below_entry(&recorder, calls).await;
    let seen = commands(&recorder, &address(&url()));
    assert_eq!(seen[..4], ["evalsha", "script", "evalsha", "evalsha"]);
    let exits = exits(&recorder);
    assert!(exits[..4].iter().all(|exit| exit.errors() == 0));
    let last = exits.last().unwrap();
    assert_eq!(last.error_text().as_deref(), Some("ERR from a script"));
    assert!(!recorder.snapshot().contains("geheim"));
}

#[tokio::test]
async fn all_keys_are_found_page_by_page() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let name = key("members");
    let members: Vec<String> = (0..2_000)
        .map(|number| format!("geheim {number}"))
        .collect();
    let () = connection.sadd(&name, &members).await.unwrap();
    let calls = async {
        let found = AsyncCommands::sscan::<_, String>(&mut connection, &name);
        let mut found: Vec<String> = found.await.unwrap().map(Result::unwrap).collect().await;
        found.sort();
        found.dedup();
        found
    };
    assert_eq!(below_entry(&recorder, calls).await.len(), 2_000);
    let pages = commands(&recorder, &address(&url()));
    assert!(pages.len() > 10 && pages.iter().all(|page| page == "sscan"));
    assert!(!recorder.snapshot().contains("geheim"));
    let () = connection.del(&name).await.unwrap();
}

#[tokio::test]
async fn keys_and_values_of_any_size_and_content_pass() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut name = key("binary").into_bytes();
    name.extend((0..64 * 1024).map(|number| number as u8));
    let value = vec![0xfe; 1024 * 1024];
    let calls = async {
        let () = connection.set_ex(&name, &value, 60).await?;
        let same: Vec<u8> = connection.get(&name).await?;
        assert_eq!(same, value);
        let one: i64 = connection.del(&name).await?;
        assert_eq!(one, 1);
        RedisResult::Ok(())
    };
    below_entry(&recorder, calls).await.unwrap();
    assert_eq!(
        commands(&recorder, &address(&url())),
        ["setex", "get", "del"]
    );
    assert!(recorder.snapshot().len() < 2_000);
}

#[tokio::test]
async fn commands_of_a_pipeline_that_fail_are_counted() {
    let client = Client::open(url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let name = key("kinds");
    let mut pipeline = redis::pipe();
    pipeline
        .set_ex(&name, "geheim", 60)
        .lpush(&name, 1)
        .incr(&name, 1)
        .get(&name);
    for (atomic, ignored) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut pipeline = pipeline.clone();
        if atomic {
            pipeline.atomic();
        }
        if ignored {
            pipeline.ignore_errors();
        }
        let recorder = Recorder::new();
        let result: RedisResult<Vec<RedisResult<String>>> =
            below_entry(&recorder, pipeline.query_async(&mut connection)).await;
        assert_eq!(result.is_ok(), ignored);
        let expected = if atomic { "multi" } else { "pipeline" };
        assert_eq!(commands(&recorder, &address(&url())), [expected]);
        let exit = &exits(&recorder)[0];
        assert_eq!((exit.errors(), exit.integer("b.s")), (2, Some(4)));
        let error = exit.error_text().unwrap();
        assert!(error.starts_with("WRONGTYPE Operation"), "{error}");
        assert!(!exit.json().contains("geheim"));
    }
}

/// A command that is wrong in itself ends a transaction before it begins.
#[tokio::test]
async fn what_cannot_be_queued_aborts_the_transaction() {
    let client = Client::open(url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut sync = client.get_connection().unwrap();
    let mut pipeline = redis::pipe();
    pipeline
        .atomic()
        .get("a")
        .cmd("GEHEIM")
        .arg("geheim")
        .cmd("GET");
    for is_async in [true, false] {
        let recorder = Recorder::new();
        let result: RedisResult<()> = match is_async {
            true => below_entry(&recorder, pipeline.query_async(&mut connection)).await,
            false => in_entry(&recorder, || pipeline.query(&mut sync)),
        };
        let error = result.unwrap_err();
        assert_eq!(error.code(), Some("EXECABORT"));
        let exit = &exits(&recorder)[0];
        assert_eq!(exit.errors(), 2, "those that could not be queued");
        let text = exit.error_text().unwrap();
        assert_eq!(text, "ERR unknown command …");
        assert!(!exit.json().contains("'geheim'"), "{}", exit.json());
    }
}
