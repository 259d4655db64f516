//! What is recorded of one command, and when.

use std::sync::mpsc;

use instana::span::Kind;
use instana::testing::Recorder;
use instana::{Context, FutureExt};
use instana_redis::Traced;
use redis::{AsyncCommands, Cmd, Pipeline, RedisFuture, Value};

use crate::fake::{command, commands, connection};

#[tokio::test]
async fn a_command_is_an_exit_with_its_name_and_where_it_went() {
    let recorder = Recorder::new();
    let (mut connection, fake) = connection(&["$3\r\ntea\r\n"]);
    let value: String = recorder.in_entry(connection.get("geheim")).await.unwrap();
    assert_eq!(value, "tea");
    assert_eq!(fake.asked(), [b"*2\r\n$3\r\nGET\r\n$6\r\ngeheim\r\n"]);

    let exit = recorder.span("redis", Kind::Exit);
    assert_eq!(command(&exit), "get");
    let connection = exit.text("data.redis.connection");
    assert_eq!(connection.as_deref(), Some("cache:7000/2"));
    assert_eq!(exit.errors(), 0);
    assert_eq!(exit.parent(), recorder.labelled("job").id());
    assert!(!exit.has("data.redis.subCommands") && !exit.has("b") && !exit.has("data.sdk"));
    assert!(!exit.json().contains("geheim"), "{}", exit.json());
}

#[tokio::test]
async fn nothing_is_no_error() {
    let recorder = Recorder::new();
    for reply in ["$-1\r\n", "*-1\r\n", "_\r\n", "*0\r\n"] {
        let (mut connection, _) = connection(&[reply]);
        let value: Vec<String> = recorder.in_entry(connection.get("a")).await.unwrap();
        assert_eq!(value, [""; 0], "{reply:?}");
    }
    let exits = recorder.exits();
    assert_eq!(exits.len(), 4);
    assert!(exits.iter().all(|exit| exit.errors() == 0));
}

#[tokio::test]
async fn where_the_address_is_not_known_there_is_none() {
    let recorder = Recorder::new();
    let (_, fake) = connection(&["+OK\r\n"]);
    let mut connection = Traced::new(fake);
    let () = recorder.in_entry(connection.set("a", 1)).await.unwrap();
    assert_eq!(command(&recorder.span("redis", Kind::Exit)), "set");
    assert!(
        !recorder
            .span("redis", Kind::Exit)
            .has("data.redis.connection")
    );
}

#[tokio::test]
async fn large_and_binary_arguments_are_only_passed_on() {
    let recorder = Recorder::new();
    let (mut connection, fake) = connection(&["+OK\r\n"; 2]);
    let key = vec![0xff_u8; 64 * 1024];
    let () = recorder.in_entry(connection.set(&key, &key)).await.unwrap();
    let strange = redis::cmd("geheim \u{1f980}").arg(&key).clone();
    let () = recorder
        .in_entry(strange.exec_async(&mut connection))
        .await
        .unwrap();
    assert!(fake.asked()[0].len() > 2 * key.len());
    let spans = recorder.exits();
    assert_eq!(
        spans.iter().map(command).collect::<Vec<_>>(),
        ["set", "unknown"]
    );
    assert!(spans.iter().all(|span| span.json().len() < 1_000));
}

#[tokio::test]
async fn a_command_that_is_given_up_says_so() {
    let recorder = Recorder::new();
    let (mut connection, fake) = connection(&[]);
    fake.answer_never();
    let call = async {
        tokio::select! {
            biased;
            value = connection.get::<_, String>("a") => unreachable!("{value:?}"),
            () = tokio::task::yield_now() => {}
        }
    };
    recorder.in_entry(call).await;
    let exit = recorder.span("redis", Kind::Exit);
    assert_eq!(exit.errors(), 1);
    let error = exit.error_text().unwrap();
    assert!(
        error.starts_with("cancelled after ") && error.ends_with(" ms"),
        "{error}"
    );
}

/// Tells the context that its futures are polled and dropped in.
struct Telling(mpsc::Sender<Option<String>>);

struct Told(mpsc::Sender<Option<String>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.send(Context::current().span_id()).unwrap();
    }
}

impl redis::aio::ConnectionLike for Telling {
    fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
        let told = Told(self.0.clone());
        Box::pin(async move {
            told.0.send(Context::current().span_id()).unwrap();
            let _told = told;
            std::future::pending().await
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        unreachable!("no pipelines")
    }

    fn get_db(&self) -> i64 {
        0
    }
}

#[tokio::test]
async fn the_exit_is_current_while_its_future_is_polled_and_dropped() {
    let recorder = Recorder::new();
    let (told, seen) = mpsc::channel();
    let mut connection = Traced::new(Telling(told));
    let call = async {
        tokio::select! {
            biased;
            () = async { connection.get("a").await.unwrap() } => unreachable!(),
            () = tokio::task::yield_now() => {}
        }
    };
    recorder.in_entry(call).await;
    let id = Some(recorder.span("redis", Kind::Exit).id());
    assert_eq!(
        [seen.recv().unwrap(), seen.recv().unwrap()],
        [id.clone(), id]
    );
}

#[tokio::test]
async fn suppressed_calls_and_those_outside_of_traces_are_not_recorded() {
    let recorder = Recorder::new();
    let (mut connection, fake) = connection(&["+OK\r\n"; 3]);
    let suppressed = async { connection.set::<_, _, ()>("a", 1).suppress().await };
    recorder.in_entry(suppressed).await.unwrap();
    let () = recorder.scope(connection.set("a", 1)).await.unwrap();
    let () = connection.set("a", 1).await.unwrap();
    assert_eq!(fake.asked().len(), 3);
    assert!(recorder.exits().is_empty());
}

#[tokio::test]
async fn an_exit_without_an_entry_is_recorded_where_that_is_wanted() {
    let recorder = Recorder::builder().allow_root_exits(true).build();
    let (mut connection, _) = connection(&["+OK\r\n"]);
    let () = recorder.scope(connection.set("a", 1)).await.unwrap();
    assert!(!recorder.span("redis", Kind::Exit).has("p"));
}

#[tokio::test]
async fn rules_know_the_command() {
    let recorder = Recorder::builder()
        .environment(&[("INSTANA_IGNORE_ENDPOINTS", "redis:get,multi")])
        .build();
    let (mut connection, _) = connection(&["+OK\r\n", "+OK\r\n", "*1\r\n*1\r\n+OK\r\n"]);
    let calls = async {
        let () = connection.get("a").await.unwrap();
        let () = connection.set("a", 1).await.unwrap();
        let () = redis::pipe()
            .atomic()
            .set("a", 1)
            .query_async(&mut connection)
            .await
            .unwrap();
    };
    recorder.in_entry(calls).await;
    assert_eq!(commands(&recorder), ["set"]);
}

#[tokio::test]
async fn waiting_is_not_failing() {
    let recorder = Recorder::new();
    let replies = [
        "*-1\r\n",
        "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        "$-1\r\n",
        "$-1\r\n",
    ];
    let (mut connection, _) = connection(&replies);
    let options = redis::streams::StreamReadOptions::default().block(1_000);
    let calls = async {
        let nothing: Option<(String, String)> = connection.blpop("a", 1.0).await.unwrap();
        let something: Option<(String, String)> = connection.blpop("a", 1.0).await.unwrap();
        assert_eq!((nothing.is_none(), something.is_some()), (true, true));
        let _: Value = connection
            .xread_options(&["a"], &["$"], &options)
            .await
            .unwrap();
        let _: Value = connection.lpop("a", None).await.unwrap();
    };
    recorder.in_entry(calls).await;
    assert_eq!(commands(&recorder), ["blpop", "blpop", "xread", "lpop"]);
    let spans = recorder.exits();
    let tags = |name: &str| {
        let path = format!("data.sdk.custom.tags.{name}");
        spans.iter().map(|span| span.has(&path)).collect::<Vec<_>>()
    };
    assert_eq!(tags("wait_ms"), [true, true, true, false]);
    assert_eq!(tags("wait_timed_out"), [true, false, true, false]);
    assert!(spans.iter().all(|span| span.errors() == 0));
}
