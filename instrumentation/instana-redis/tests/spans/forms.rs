//! The ways in which redis's users call it.

use futures_util::StreamExt;
use instana::testing::Recorder;
use redis::{AsyncCommands, AsyncTypedCommands, Value};

use crate::fake::{commands, connection};

#[tokio::test]
async fn all_call_forms_work() {
    let recorder = Recorder::new();
    let (mut traced, _) = connection(&[
        "+OK\r\n",
        "$3\r\ntea\r\n",
        ":1\r\n",
        "+PONG\r\n",
        "+OK\r\n",
        ":2\r\n",
        "$1\r\nx\r\n",
    ]);
    let calls = async {
        let () = AsyncCommands::set(&mut traced, "a", "tea").await?;
        let typed: Option<String> = AsyncTypedCommands::get(&mut traced, "a").await?;
        assert_eq!(typed.as_deref(), Some("tea"));
        let _: Value = redis::cmd("DEL").arg("a").query_async(&mut traced).await?;
        redis::cmd("PING").exec_async(&mut traced).await?;
        redis::Cmd::set("a", 1).exec_async(&mut traced).await?;
        let heard: i64 = AsyncCommands::publish(&mut traced, "news", "geheim").await?;
        assert_eq!(heard, 2);
        let dynamic: &mut (dyn redis::aio::ConnectionLike + Send) = &mut traced;
        dynamic.req_packed_command(&redis::Cmd::get("a")).await?;
        redis::RedisResult::Ok(())
    };
    recorder.in_entry(calls).await.unwrap();
    let expected = ["set", "get", "del", "ping", "set", "publish", "get"];
    assert_eq!(commands(&recorder), expected);
    assert!(!recorder.snapshot().contains("geheim"));
}

#[tokio::test]
async fn each_page_of_a_scan_is_an_exit() {
    let recorder = Recorder::new();
    let (mut traced, _) = connection(&[
        "*2\r\n$1\r\n7\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        "*2\r\n$1\r\n8\r\n*0\r\n",
        "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nc\r\n",
    ]);
    let calls = async {
        let keys = AsyncCommands::scan_match::<_, String>(&mut traced, "geheim*")
            .await
            .unwrap();
        keys.map(Result::unwrap).collect::<Vec<String>>().await
    };
    assert_eq!(recorder.in_entry(calls).await, ["a", "b", "c"]);
    assert_eq!(commands(&recorder), ["scan"; 3]);
}

#[tokio::test]
async fn futures_of_many_entries_keep_their_own() {
    let recorder = Recorder::new();
    let (traced, _) = connection(&["$1\r\nx\r\n"; 64]);
    let calls = (0..64).map(|number| {
        let mut connection = traced.clone();
        async move {
            use instana::FutureExt;
            let entry = instana::entry_span(&format!("job {number}"));
            let call = async move {
                tokio::task::yield_now().await;
                let x: String = AsyncCommands::get(&mut connection, "a").await.unwrap();
                assert_eq!(x, "x");
            };
            call.in_span(entry).await;
        }
    });
    recorder.scope(futures_util::future::join_all(calls)).await;
    for number in 0..64 {
        let entry = recorder.labelled(&format!("job {number}"));
        assert_eq!(recorder.children(&entry).len(), 1);
    }
}
