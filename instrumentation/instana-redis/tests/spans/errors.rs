//! What is recorded of errors, and what is not.

use std::io;

use instana::span::Kind;
use instana::testing::Recorder;
use redis::{Commands, ErrorKind, RedisError, Script, Value};

use crate::fake::{commands, connection};

#[tokio::test]
async fn the_application_sees_its_error_and_the_span_the_server_s_words() {
    for (reply, expected) in [
        (
            "-WRONGTYPE Operation against a key\r\n",
            "WRONGTYPE Operation against a key",
        ),
        (
            "-MOVED 3999 127.0.0.1:6381\r\n",
            "MOVED 3999 127.0.0.1:6381",
        ),
        (
            "-NOAUTH Authentication required.\r\n",
            "NOAUTH Authentication required.",
        ),
        (
            "-ERR unknown command 'GET', with args beginning with: 'geheim' \r\n",
            "ERR unknown command 'GET', with args beginning with: …",
        ),
        (
            "-NOPERM User x has no permissions to access the 'geheim' key\r\n",
            "NOPERM User x has no permissions to access the …",
        ),
        ("!9\r\nSYNTAX no\r\n", "SYNTAX no"),
    ] {
        let recorder = Recorder::new();
        let (mut traced, _) = connection(&[reply; 2]);
        let call = async {
            let result: redis::RedisResult<String> =
                redis::AsyncCommands::get(&mut traced, "geheim").await;
            result.unwrap_err()
        };
        let seen = recorder.in_entry(call).await;
        let plain = redis::parse_redis_value(reply.as_bytes());
        assert_eq!(seen, plain.unwrap().extract_error().unwrap_err());
        recorder
            .enter_entry(|| Commands::get::<_, String>(&mut traced, "geheim"))
            .unwrap_err();
        for exit in recorder.exits() {
            assert_eq!(
                (exit.errors(), exit.error_text().as_deref()),
                (1, Some(expected))
            );
            assert!(!exit.json().contains("geheim"), "{}", exit.json());
        }
        assert_eq!(recorder.exits().len(), 2);
    }
}

#[test]
fn errors_of_the_client_are_recorded() {
    for (error, expected) in [
        (
            RedisError::from(io::Error::from(io::ErrorKind::TimedOut)),
            "timed out",
        ),
        (
            RedisError::from(io::Error::from(io::ErrorKind::BrokenPipe)),
            "broken pipe",
        ),
        (
            RedisError::from((ErrorKind::Parse, "x", "geheim".to_owned())),
            "parse error",
        ),
        (
            RedisError::from((ErrorKind::AuthenticationFailed, "no", "'geheim'".to_owned())),
            "no - AuthenticationFailed: …",
        ),
    ] {
        let recorder = Recorder::new();
        let (mut traced, fake) = connection(&[]);
        fake.fail(error.clone());
        let result: redis::RedisResult<String> = recorder.enter_entry(|| traced.get("a"));
        assert_eq!(result.unwrap_err().to_string(), error.to_string());
        let exit = recorder.span("redis", Kind::Exit);
        assert_eq!(exit.errors(), 1);
        assert_eq!(exit.error_text().as_deref(), Some(expected));
        assert!(!exit.json().contains("geheim"), "{}", exit.json());
    }
}

#[test]
fn a_long_text_is_cut() {
    let recorder = Recorder::new();
    let (mut traced, fake) = connection(&[]);
    fake.fail(io::Error::other("ä".repeat(1_000)));
    recorder
        .enter_entry(|| traced.get::<_, ()>("a"))
        .unwrap_err();
    assert_eq!(
        recorder
            .span("redis", Kind::Exit)
            .error_text()
            .unwrap()
            .len(),
        200
    );
}

#[tokio::test]
async fn a_script_that_has_to_be_loaded_is_no_error() {
    let recorder = Recorder::new();
    let (mut traced, _) = connection(&[
        "-NOSCRIPT No matching script. Please use EVAL.\r\n",
        "$40\r\n383ccbc11c57bc9eef6030505c402f5938f9bf8f\r\n",
        ":7\r\n",
    ]);
    let script = Script::new("return 7 -- geheim");
    let mut call = script.key("geheim");
    let call = call.arg("geheim").invoke_async(&mut traced);
    let value: i64 = recorder.in_entry(call).await.unwrap();
    assert_eq!(value, 7);
    assert_eq!(commands(&recorder), ["evalsha", "script", "evalsha"]);
    let spans = recorder.exits();
    assert!(spans.iter().all(|span| span.errors() == 0));
    let missing = spans[0].boolean("data.sdk.custom.tags.script_missing");
    assert_eq!(missing, Some(true));
    assert!(!recorder.snapshot().contains("geheim"));
}

#[test]
fn clusters_tell_of_a_missing_script_in_another_way() {
    let recorder = Recorder::new();
    let (mut traced, fake) = connection(&[]);
    fake.fail(redis::make_extension_error("NOSCRIPT".into(), None));
    let missing = redis::parse_redis_value(b"-NOSCRIPT No matching script.\r\n");
    fake.fail(missing.unwrap().extract_error().unwrap_err());
    let command = redis::cmd("EVALSHA").arg("x").arg(0).clone();
    recorder.enter_entry(|| {
        command.exec(&mut traced).unwrap_err();
        command.exec(&mut traced).unwrap_err();
    });
    let errors: Vec<u64> = recorder.exits().iter().map(|span| span.errors()).collect();
    assert_eq!(errors, [1, 0], "the first is not that of a server");
}

#[test]
fn errors_inside_of_replies_are_found_where_redis_looks_for_them() {
    for (command, reply, errors) in [
        ("EXEC", "*2\r\n+OK\r\n-ERR x\r\n", 1),
        ("EVAL", "*1\r\n*1\r\n-ERR geheim\r\n", 1),
        ("EVAL", "*1\r\n*1\r\n+geheim\r\n", 0),
        ("GET", "|1\r\n+a\r\n+b\r\n-ERR x\r\n", 1),
    ] {
        let recorder = Recorder::new();
        let (mut traced, _) = connection(&[reply]);
        let result = recorder.enter_entry(|| redis::cmd(command).query::<Value>(&mut traced));
        assert_eq!(result.is_err(), errors > 0, "{reply}");
        assert_eq!(recorder.span("redis", Kind::Exit).errors(), errors);
        assert!(!recorder.span("redis", Kind::Exit).json().contains("geheim"));
    }
}
