//! A cluster of three nodes.

use instana::testing::Recorder;
use instana_redis::Client;
use instana_redis::cluster::ClusterClient;
use redis::cluster::cluster_pipe;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{AsyncCommands, Commands, ConnectionLike, RedisResult};

use super::{address, below_entry, commands, exits, in_entry, key, variable};

fn nodes() -> Vec<String> {
    let nodes = variable("REDIS_CLUSTER_URLS");
    nodes.split(',').map(str::to_owned).collect()
}

fn client() -> ClusterClient {
    ClusterClient::new(nodes()).unwrap()
}

#[tokio::test]
async fn async_calls_go_to_all_nodes() {
    let recorder = Recorder::new();
    let calls = async {
        let mut connection = client().get_async_connection().await?;
        for number in 0..20 {
            let name = key(&format!("{number}"));
            let () = connection.set_ex(&name, number, 60).await?;
            let value: i64 = connection.get(&name).await?;
            assert_eq!(value, number);
        }
        let tagged = key("{tag}a");
        let (value,): (i64,) = redis::pipe()
            .set_ex(&tagged, 7, 60)
            .ignore()
            .get(&tagged)
            .query_async(&mut connection)
            .await?;
        assert_eq!(value, 7);
        let random = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
        connection
            .route_command(redis::cmd("PING"), random.clone())
            .await?;
        let route = SingleNodeRoutingInfo::Random;
        connection
            .route_pipeline(redis::pipe().ping().clone(), 0, 1, route)
            .await?;
        assert!(
            connection
                .lpush::<_, _, i64>(&tagged, "geheim")
                .await
                .is_err()
        );
        RedisResult::Ok(())
    };
    below_entry(&recorder, calls).await.unwrap();
    let seen = commands(&recorder, &address(&nodes()[0]));
    assert_eq!(seen[..2], ["setex", "get"]);
    assert_eq!(seen[40..], ["pipeline", "ping", "pipeline", "lpush"]);
    let errors: u64 = exits(&recorder).iter().map(|exit| exit.errors()).sum();
    assert_eq!(errors, 1);
    let text = exits(&recorder)[43].error_text().unwrap();
    assert!(text.starts_with("WRONGTYPE Operation"), "{text}");
    assert!(!recorder.snapshot().contains("geheim"));
}

#[test]
fn sync_calls_go_to_all_nodes() {
    let recorder = Recorder::new();
    in_entry(&recorder, || {
        let mut connection = client().get_connection()?;
        assert!(!connection.supports_pipelining());
        for number in 0..20 {
            let name = key(&format!("sync {number}"));
            let () = connection.set_ex(&name, number, 60)?;
            let value: i64 = connection.get(&name)?;
            assert_eq!(value, number);
        }
        let (one, two) = (key("sync 1"), key("sync 2"));
        let mut pipeline = cluster_pipe();
        pipeline.get(&one).get(&two);
        let values: (i64, i64) = connection.query_pipeline(&pipeline)?;
        assert_eq!(values, (1, 2));
        let mut wrong = cluster_pipe();
        wrong.lpush(&one, "geheim").get(&two).lpush(&two, "geheim");
        assert!(connection.query_pipeline::<()>(&wrong).is_err());
        RedisResult::Ok(())
    })
    .unwrap();
    let seen = commands(&recorder, &address(&nodes()[0]));
    assert_eq!(seen[40..], ["pipeline", "pipeline"]);
    let exits = exits(&recorder);
    assert_eq!((exits[40].errors(), exits[40].integer("b.s")), (0, Some(2)));
    assert_eq!((exits[41].errors(), exits[41].integer("b.s")), (2, Some(3)));
    assert!(!recorder.snapshot().contains("geheim"));
}

/// A client that knows nothing of clusters is told where to go.
#[test]
fn a_plain_client_is_sent_elsewhere() {
    let recorder = Recorder::new();
    let mut connection = Client::open(nodes()[0].as_str())
        .and_then(|client| client.get_connection())
        .unwrap();
    in_entry(&recorder, || {
        for number in 0..30 {
            let _: RedisResult<Option<i64>> = connection.get(format!("{number}"));
        }
    });
    let exits = exits(&recorder);
    let moved: Vec<_> = exits.iter().filter_map(|exit| exit.error_text()).collect();
    assert!((1..30).contains(&moved.len()));
    assert!(
        moved.iter().all(|text| text.starts_with("MOVED ")),
        "{moved:?}"
    );
}

#[tokio::test]
async fn pools_of_clusters() {
    let recorder = Recorder::new();
    let pool = bb8::Pool::builder()
        .max_size(1)
        .build(client())
        .await
        .unwrap();
    let calls = async {
        let none: Option<i64> = pool.get().await.unwrap().get(key("none")).await.unwrap();
        assert_eq!(none, None);
    };
    below_entry(&recorder, calls).await;
    assert_eq!(commands(&recorder, &address(&nodes()[0])), ["get"]);

    let recorder = Recorder::new();
    let pool = r2d2::Pool::builder().max_size(1).build(client()).unwrap();
    in_entry(&recorder, || {
        let none: Option<i64> = pool.get().unwrap().get(key("none")).unwrap();
        assert_eq!(none, None);
    });
    assert_eq!(commands(&recorder, &address(&nodes()[0])), ["get"]);
}
