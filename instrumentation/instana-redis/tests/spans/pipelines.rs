//! Pipelines and transactions.

use instana::span::Kind;
use instana::testing::Recorder;
use redis::{AsyncCommands, Pipeline, RedisResult, Value};

use crate::fake::{command, commands, connection};

fn three(atomic: bool) -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline.set("geheim", "geheim").incr("a", 1).get("b");
    if atomic {
        pipeline.atomic();
    }
    pipeline
}

/// What both kinds of connections record.
async fn recorded(pipeline: &Pipeline, reply: &'static str) -> [(Recorder, RedisResult<Value>); 2] {
    let (aio, sync) = (Recorder::new(), Recorder::new());
    let (mut traced, _) = connection(&[reply]);
    let result = aio.in_entry(pipeline.query_async(&mut traced)).await;
    let (mut traced, _) = connection(&[reply]);
    let sync_result = sync.enter_entry(|| pipeline.query(&mut traced));
    [(aio, result), (sync, sync_result)]
}

#[tokio::test]
async fn one_exit_with_the_names_of_its_commands() {
    for (atomic, name, reply) in [
        (false, "pipeline", "*3\r\n+OK\r\n:2\r\n$1\r\nx\r\n"),
        (true, "multi", "*1\r\n*3\r\n+OK\r\n:2\r\n$1\r\nx\r\n"),
    ] {
        for (recorder, result) in recorded(&three(atomic), reply).await {
            assert!(result.is_ok());
            let exit = recorder.span("redis", Kind::Exit);
            assert_eq!(command(&exit), name);
            let json = exit.json();
            assert!(
                json.contains(r#""subCommands":["set","incrby","get"]"#),
                "{json}"
            );
            assert!(!json.contains("geheim"), "{json}");
            assert_eq!(exit.integer("b.s"), Some(3));
            assert_eq!(exit.errors(), 0);
            let connection = exit.text("data.redis.connection");
            assert_eq!(connection.as_deref(), Some("cache:7000/2"));
        }
    }
}

#[tokio::test]
async fn those_that_failed_are_counted() {
    let reply = "*3\r\n-WRONGTYPE wrong kind\r\n:2\r\n-ERR no 'geheim'\r\n";
    let in_multi = "*1\r\n*3\r\n-WRONGTYPE wrong kind\r\n:2\r\n-ERR no 'geheim'\r\n";
    for (atomic, ignore, reply) in [
        (false, false, reply),
        (false, true, reply),
        (true, false, in_multi),
        (true, true, in_multi),
    ] {
        let mut pipeline = three(atomic);
        if ignore {
            pipeline.ignore_errors();
        }
        for (recorder, result) in recorded(&pipeline, reply).await {
            assert_eq!(result.is_ok(), ignore);
            let exit = recorder.span("redis", Kind::Exit);
            assert_eq!(exit.errors(), 2);
            assert_eq!(exit.error_text().as_deref(), Some("WRONGTYPE wrong kind"));
            assert!(!exit.json().contains("geheim"));
        }
    }
}

#[tokio::test]
async fn a_transaction_whose_keys_changed_is_aborted_and_no_error() {
    for (recorder, result) in recorded(&three(true), "*1\r\n*-1\r\n").await {
        assert_eq!(result.unwrap(), Value::Nil);
        let exit = recorder.span("redis", Kind::Exit);
        assert_eq!(exit.errors(), 0);
        assert_eq!(exit.boolean("data.sdk.custom.tags.aborted"), Some(true));
    }
}

#[tokio::test]
async fn a_lost_connection_is_one_error() {
    let recorder = Recorder::new();
    let (mut traced, fake) = connection(&[]);
    fake.fail(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    let result = recorder.in_entry(three(true).exec_async(&mut traced)).await;
    assert!(result.unwrap_err().is_connection_dropped());
    assert_eq!(recorder.span("redis", Kind::Exit).errors(), 1);
    let text = recorder.span("redis", Kind::Exit).error_text();
    assert_eq!(text.as_deref(), Some("connection reset"));
}

#[tokio::test]
async fn long_ones_are_cut_and_counted_whole() {
    let mut pipeline = redis::pipe();
    for number in 0..10_000 {
        pipeline.set(number, "x".repeat(100));
    }
    for (recorder, result) in recorded(&pipeline, "*1\r\n-ERR a\r\n").await {
        assert!(result.is_err());
        let exit = recorder.span("redis", Kind::Exit);
        assert!(exit.has("data.redis.subCommands.99"));
        assert!(!exit.has("data.redis.subCommands.100"));
        assert_eq!(exit.integer("b.s"), Some(10_000));
    }
}

#[tokio::test]
async fn transactions_that_watch_have_an_exit_for_each_step() {
    let steps = ["+OK\r\n", "$1\r\n7\r\n", "*1\r\n*1\r\n:8\r\n", "+OK\r\n"];
    let expected = ["watch", "get", "multi", "unwatch"];
    let recorder = Recorder::new();
    let (traced, _) = connection(&steps);
    let transaction =
        redis::aio::transaction_async(traced, &["a"], |mut connection, mut pipe| async move {
            let old: i64 = connection.get("a").await?;
            pipe.incr("a", old).query_async(&mut connection).await
        });
    let values: Vec<i64> = recorder.in_entry(transaction).await.unwrap();
    assert_eq!(values, [8]);
    assert_eq!(commands(&recorder), expected);

    let recorder = Recorder::new();
    let (mut traced, _) = connection(&steps);
    let values: Vec<i64> = recorder
        .enter_entry(|| {
            redis::transaction(&mut traced, &["a"], |connection, pipe| {
                let old: i64 = redis::Commands::get(connection, "a")?;
                pipe.incr("a", old).query(connection)
            })
        })
        .unwrap();
    assert_eq!(values, [8]);
    assert_eq!(commands(&recorder), expected);
}
