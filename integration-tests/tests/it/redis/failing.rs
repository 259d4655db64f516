//! Servers that go, and that do not want us.

use std::time::Duration;

use instana::testing::Recorder;
use instana_redis::{Client, Target, Traced};
use redis::aio::ConnectionManagerConfig;
use redis::{AsyncCommands, Commands, ConnectionLike, RedisResult};

use super::proxy::Proxy;
use super::{address, below_entry, commands, exits, in_entry, key, url};

/// Nothing here takes this long unless it hangs.
const LONG: Duration = Duration::from_secs(30);

async fn proxied() -> (Proxy, Client) {
    let proxy = Proxy::new(&address(&url()));
    let client = Client::open(format!("redis://{}", proxy.address())).unwrap();
    (proxy, client)
}

/// The server goes while a call waits for its answer.
#[tokio::test]
async fn a_lost_connection_ends_the_calls_on_it() {
    let recorder = Recorder::new();
    let (proxy, client) = proxied().await;
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    let mut connection = connection.await.unwrap();
    let mut id = connection.clone();
    let calls = async {
        let id: i64 = redis::cmd("CLIENT")
            .arg("ID")
            .query_async(&mut id)
            .await
            .unwrap();
        let waiting = connection.blpop::<_, Option<(String, String)>>(key("empty"), 0.0);
        let cut = async {
            // Once it is there that the server has the call.
            let mut other = redis::Client::open(url()).unwrap();
            loop {
                let list: String = redis::cmd("CLIENT")
                    .arg("LIST")
                    .arg("ID")
                    .arg(id)
                    .query(&mut other)
                    .unwrap();
                if list.contains("cmd=blpop") {
                    break proxy.cut();
                }
                tokio::task::yield_now().await;
            }
        };
        let (result, ()) = tokio::join!(waiting, cut);
        assert!(result.unwrap_err().is_connection_dropped());
        let after: RedisResult<String> = connection.get("a").await;
        assert!(after.is_err());
    };
    tokio::time::timeout(LONG, below_entry(&recorder, calls))
        .await
        .unwrap();
    assert_eq!(
        commands(&recorder, proxy.address()),
        ["client", "blpop", "get"]
    );
    let errors: Vec<u64> = exits(&recorder).iter().map(|exit| exit.errors()).collect();
    assert_eq!(errors, [0, 1, 1]);
}

#[test]
fn a_sync_connection_that_is_killed_by_the_server() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut killer = client.inner().clone();
    let result: RedisResult<String> = in_entry(&recorder, || {
        let id: i64 = redis::cmd("CLIENT").arg("ID").query(&mut connection)?;
        let killed: i64 = redis::cmd("CLIENT")
            .arg("KILL")
            .arg("ID")
            .arg(id)
            .query(&mut killer)?;
        assert_eq!(killed, 1);
        connection.get("a")
    });
    assert!(result.unwrap_err().is_connection_dropped());
    assert!(!connection.is_open());
    assert_eq!(commands(&recorder, &address(&url())), ["client", "get"]);
    assert_eq!(exits(&recorder)[1].errors(), 1);
}

#[tokio::test]
async fn a_manager_comes_back_with_its_server() {
    let recorder = Recorder::new();
    let (proxy, client) = proxied().await;
    let config = ConnectionManagerConfig::new()
        .set_min_delay(Duration::from_millis(1))
        .set_max_delay(Duration::from_millis(10))
        .set_number_of_retries(2);
    let mut manager = client
        .get_connection_manager_with_config(config)
        .await
        .unwrap();
    let failed = async {
        let () = manager.set_ex(key("manager"), 1, 60).await.unwrap();
        proxy.go();
        let gone: RedisResult<i64> = manager.get(key("manager")).await;
        assert!(gone.is_err());
        proxy.back();
        let mut failed = 1;
        loop {
            match manager.get::<_, i64>(key("manager")).await {
                Ok(value) => break assert_eq!(value, 1),
                Err(_) => failed += 1,
            }
        }
        failed
    };
    let failed = tokio::time::timeout(LONG, below_entry(&recorder, failed))
        .await
        .unwrap();
    let exits = exits(&recorder);
    assert_eq!(exits.len(), failed + 2);
    assert!(exits[1..=failed].iter().all(|exit| exit.errors() == 1));
    assert_eq!(exits[0].errors() + exits[failed + 1].errors(), 0);
    assert_eq!(commands(&recorder, proxy.address())[failed + 1], "get");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_exit_that_says_so() {
    let recorder = Recorder::new();
    let proxy = Proxy::new(&address(&url()));
    proxy.go();
    let client = Client::open(format!("redis://:geheim@{}/5", proxy.address())).unwrap();
    let call = async { client.get_multiplexed_async_connection().await };
    assert!(below_entry(&recorder, call).await.is_err());
    let connection = format!("{}/5", proxy.address());
    assert_eq!(commands(&recorder, &connection), ["connect"]);
    assert_eq!(exits(&recorder)[0].errors(), 1);

    // Nobody listens at port 1.
    let recorder = Recorder::new();
    let client = Client::open("redis://:geheim@127.0.0.1:1").unwrap();
    let error = in_entry(&recorder, || client.get_connection().err().unwrap());
    assert!(error.is_connection_refusal());
    assert_eq!(commands(&recorder, "127.0.0.1:1"), ["connect"]);
    let text = exits(&recorder)[0].error_text().unwrap();
    assert!(text.starts_with("Connection refused"), "{text}");
    assert!(!recorder.snapshot().contains("geheim"));
}

#[tokio::test]
async fn a_connection_that_can_be_had_is_nothing_to_tell_of() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let calls = async {
        client.get_multiplexed_async_connection().await.map(drop)?;
        client.get_connection_manager().await.map(drop)?;
        client.get_async_pubsub().await.map(drop)?;
        client.get_connection_with_timeout(LONG).map(drop)
    };
    below_entry(&recorder, calls).await.unwrap();
    assert!(exits(&recorder).is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_an_error_without_it() {
    let mut admin = redis::Client::open(url()).unwrap();
    let user = key("user").replace(':', "-");
    let set = |word: &str| redis::cmd("ACL").arg(word).arg(&user).clone();
    let () = set("SETUSER")
        .arg("on")
        .arg(">recht-geheim")
        .arg("+get")
        .arg("~ok*")
        .query(&mut admin)
        .unwrap();
    let with = |password: &str| {
        let server = address(&url());
        Client::open(format!("redis://{user}:{password}@{server}")).unwrap()
    };

    let recorder = Recorder::new();
    let wrong = with("falsch-geheim");
    let call = async { wrong.get_multiplexed_async_connection().await };
    let error = below_entry(&recorder, call).await;
    assert_eq!(
        error.unwrap_err().kind(),
        redis::ErrorKind::AuthenticationFailed
    );
    let lazy =
        wrong.get_connection_manager_lazy(ConnectionManagerConfig::new().set_number_of_retries(0));
    let error = below_entry(&Recorder::new(), lazy.unwrap().get::<_, i64>("a")).await;
    assert!(error.is_err());
    in_entry(&Recorder::new(), || wrong.get_connection().err().unwrap());
    assert_eq!(commands(&recorder, &address(&url())), ["connect"]);
    let snapshot = recorder.snapshot();
    assert!(!snapshot.contains("geheim"), "{snapshot}");
    assert_eq!(exits(&recorder)[0].errors(), 1);

    // What it may not do.
    let recorder = Recorder::new();
    let mut right = with("recht-geheim").get_connection().unwrap();
    in_entry(&recorder, || {
        let none: Option<i64> = right.get("ok").unwrap();
        assert_eq!(none, None);
        right.get::<_, i64>("geheim").unwrap_err();
        right.set::<_, _, ()>("ok", "geheim").unwrap_err();
    });
    let errors: Vec<_> = exits(&recorder)
        .iter()
        .map(|exit| exit.error_text())
        .collect();
    assert_eq!(errors[0], None);
    assert!(
        errors[1..]
            .iter()
            .all(|error| error.as_deref().unwrap().starts_with("NOPERM "))
    );
    assert!(!recorder.snapshot().contains("geheim"));
    let () = set("DELUSER").query(&mut admin).unwrap();
}

#[tokio::test]
async fn errors_of_the_server_keep_no_arguments() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let name = key("errors");
    let calls = async {
        let () = connection.set_ex(&name, "geheim", 60).await.unwrap();
        for (command, arguments) in [
            ("LPUSH", vec![name.as_str(), "geheim"]),
            ("GEHEIMX", vec!["geheim", "geheim 'geheim'"]),
            ("GET", vec![]),
            ("CLIENT", vec!["geheim"]),
            (
                "XREADGROUP",
                vec!["GROUP", "geheim", "c", "STREAMS", "geheim", ">"],
            ),
            ("SET", vec!["geheim", "geheim", "geheim"]),
            ("CONFIG", vec!["SET", "geheim", "geheim"]),
            ("INCR", vec![&name]),
        ] {
            let result = redis::cmd(command)
                .arg(arguments)
                .exec_async(&mut connection)
                .await;
            assert!(result.is_err(), "{command}");
        }
    };
    below_entry(&recorder, calls).await;
    for exit in &exits(&recorder)[1..] {
        assert_eq!(exit.errors(), 1);
        let json = exit
            .json()
            .replace(r#""command":"geheimx""#, "")
            .replace("'GEHEIMX'", "");
        assert!(!json.to_lowercase().contains("geheim"), "{json}");
    }
}

/// A Unix socket is a path.
#[tokio::test]
async fn sockets_are_named_by_their_paths() {
    let path = std::env::temp_dir().join(key("socket"));
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let server = address(&url());
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = std::net::TcpStream::connect(server).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut from, mut to) = (server, client);
        std::io::copy(&mut from, &mut to)
    });
    let recorder = Recorder::new();
    let client = Client::open(format!("redis+unix://{}?db=2", path.display())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let none: Option<i64> = below_entry(&recorder, connection.get(key("none")))
        .await
        .unwrap();
    assert_eq!(none, None);
    assert_eq!(
        commands(&recorder, &format!("{}/2", path.display())),
        ["get"]
    );
    std::fs::remove_file(&path).unwrap();
}

/// A wrapper whose target is said by hand.
#[tokio::test]
async fn a_connection_of_redis_s_own_is_wrapped() {
    let recorder = Recorder::new();
    let client = redis::Client::open(url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut named = Traced::with_target(connection, Target::from("the cache"));
    let none: Option<i64> = below_entry(&recorder, named.get(key("none")))
        .await
        .unwrap();
    assert_eq!(none, None);
    assert_eq!(commands(&recorder, "the cache"), ["get"]);
}
