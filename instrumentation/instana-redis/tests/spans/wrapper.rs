//! What the wrappers are, besides connections.

use instana_redis::{Client, Connection, ConnectionManager, MultiplexedConnection, Target, Traced};
use redis::aio::ConnectionLike;

use crate::fake::{Fake, connection};

const fn is_sent_and_shared<T: Send + Sync>() {}
const fn is_cloned<T: Clone>() {}

#[test]
fn wrappers_are_sent_shared_and_cloned_as_redis_s() {
    is_sent_and_shared::<Client>();
    is_sent_and_shared::<MultiplexedConnection>();
    is_sent_and_shared::<ConnectionManager>();
    is_sent_and_shared::<instana_redis::cluster::ClusterClient>();
    is_sent_and_shared::<instana_redis::cluster_async::ClusterConnection>();
    is_sent_and_shared::<instana_redis::deadpool::Pool>();
    is_cloned::<Client>();
    is_cloned::<MultiplexedConnection>();
    is_cloned::<ConnectionManager>();
    is_cloned::<instana_redis::cluster::ClusterClient>();
    is_cloned::<instana_redis::cluster_async::ClusterConnection>();
    const fn is_sent<T: Send>() {}
    is_sent::<Connection>();
    is_sent::<instana_redis::cluster::ClusterConnection>();
    is_sent::<instana_redis::sentinel::SentinelClient>();
}

#[test]
fn the_connection_can_be_had_back() {
    let (mut traced, _) = connection(&[]);
    assert_eq!(ConnectionLike::get_db(&traced), 7);
    assert_eq!(traced.target().to_string(), "cache:7000/2");
    let _: &mut Fake = traced.inner_mut();
    let _: &Fake = traced.inner();
    let fake: Fake = traced.into_inner();
    let traced = Traced::from(fake);
    assert_eq!(traced.target().to_string(), "");
}

#[test]
fn no_password_is_shown() {
    let client = Client::open("redis://me:geheim@cache:7000/3").unwrap();
    assert_eq!(client.target().to_string(), "cache:7000/3");
    assert_eq!(Target::from(&client).to_string(), "cache:7000/3");
    assert_eq!(client.get_connection_info().redis_settings().db(), 3);
    let (traced, _) = connection(&[]);
    let nodes = ["redis://:geheim@one:7000", "redis://:geheim@two:7000"];
    let cluster = instana_redis::cluster::ClusterClient::new(nodes).unwrap();
    assert_eq!(cluster.target().to_string(), "one:7000");
    let shown = format!("{client:?} {cluster:?} {traced:?}");
    assert!(!shown.contains("geheim"), "{shown}");
}

#[test]
fn errors_of_opening_are_redis_s() {
    let ours = Client::open("ftp://cache").unwrap_err();
    assert_eq!(ours, redis::Client::open("ftp://cache").unwrap_err());
    let none: [&str; 0] = [];
    let ours = instana_redis::cluster::ClusterClient::new(none).unwrap_err();
    let theirs = redis::cluster::ClusterClient::new(none).err().unwrap();
    assert_eq!(ours.to_string(), theirs.to_string());
}
