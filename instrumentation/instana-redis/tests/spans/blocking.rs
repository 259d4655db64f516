//! Sync connections.

use instana::span::Kind;
use instana::testing::Recorder;
use redis::{Commands, ConnectionLike, TypedCommands, Value};

use crate::fake::{command, commands, connection};

#[test]
fn a_command_is_an_exit() {
    let recorder = Recorder::new();
    let (mut traced, fake) = connection(&["$3\r\ntea\r\n"]);
    let value: String = recorder
        .enter_entry(|| Commands::get(&mut traced, "geheim"))
        .unwrap();
    assert_eq!(value, "tea");
    assert_eq!(fake.asked(), [b"*2\r\n$3\r\nGET\r\n$6\r\ngeheim\r\n"]);
    let exit = recorder.span("redis", Kind::Exit);
    assert_eq!(command(&exit), "get");
    assert_eq!(
        exit.text("data.redis.connection").as_deref(),
        Some("cache:7000/2")
    );
    assert!(!exit.json().contains("geheim"));
}

#[test]
fn packed_commands_are_read() {
    let recorder = Recorder::new();
    let (mut traced, fake) = connection(&["*-1\r\n", "+OK\r\n", "+OK\r\n", "+OK\r\n"]);
    let blocking = redis::cmd("BLPOP").arg("a").arg(1).get_packed_command();
    let garbage: &[u8] = b"*2\r\n$9999\r\n\xff\xfe";
    recorder.enter_entry(|| {
        for packed in [&blocking, garbage, b"", b"PING\r\n"] {
            traced.req_packed_command(packed).unwrap();
        }
    });
    assert_eq!(fake.asked()[1], garbage);
    assert_eq!(
        commands(&recorder),
        ["blpop", "unknown", "unknown", "unknown"]
    );
    let waited = recorder.exits()[0].boolean("data.sdk.custom.tags.wait_timed_out");
    assert_eq!(waited, Some(true));
}

#[test]
fn packed_garbage_is_a_pipeline_without_names() {
    let recorder = Recorder::new();
    let (mut traced, _) = connection(&["*1\r\n+OK\r\n"; 3]);
    recorder.enter_entry(|| {
        for (offset, count) in [(0, 2), (3, 1), (usize::MAX, usize::MAX)] {
            traced
                .req_packed_commands(b"*1\r\n\xff", offset, count)
                .unwrap();
        }
    });
    assert_eq!(commands(&recorder), ["pipeline", "multi", "multi"]);
}

#[test]
fn typed_commands_and_scans_work() {
    let recorder = Recorder::new();
    let (mut traced, _) = connection(&[
        ":1\r\n",
        "*2\r\n$1\r\n7\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nc\r\n",
    ]);
    recorder.enter_entry(|| {
        assert_eq!(TypedCommands::incr(&mut traced, "a", 1).unwrap(), 1);
        let keys: Vec<String> = Commands::scan(&mut traced)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(keys, ["a", "b", "c"]);
    });
    assert_eq!(
        commands(&recorder),
        ["incrby", "scan", "scan"],
        "one for each page"
    );
}

#[test]
fn the_rest_is_what_the_connection_says() {
    let recorder = Recorder::new();
    let (mut traced, fake) = connection(&["+PONG\r\n", "+OK\r\n"]);
    recorder.enter_entry(|| {
        assert_eq!(ConnectionLike::get_db(&traced), 8);
        assert!(traced.supports_pipelining());
        assert!(traced.check_connection());
        assert!(!traced.is_open());
        let raw: Value = redis::cmd("PING").query(traced.inner_mut()).unwrap();
        assert_eq!(raw, Value::Okay);
    });
    assert_eq!(fake.asked().len(), 2);
    assert!(recorder.exits().is_empty());
}
