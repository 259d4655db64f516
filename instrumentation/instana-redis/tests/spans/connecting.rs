//! Connecting in vain.

use std::net::{SocketAddr, TcpListener};

use instana::span::Kind;
use instana::testing::Recorder;
use instana_redis::Client;
use redis::io::AsyncDNSResolver;
use redis::{AsyncConnectionConfig, RedisFuture};

use crate::fake::command;

/// A client for a port where nobody is.
fn client() -> Client {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    Client::open(format!("redis://me:geheim@{address}")).unwrap()
}

#[tokio::test]
async fn the_parent_is_that_of_the_call() {
    let (client, calling, awaiting) = (client(), Recorder::new(), Recorder::new());
    let call = calling.enter_entry(|| client.get_multiplexed_async_connection());
    assert!(awaiting.in_entry(call).await.is_err());
    let exit = calling.span("redis", Kind::Exit);
    assert_eq!((command(&exit).as_str(), exit.errors()), ("connect", 1));
    assert_eq!(exit.parent(), calling.labelled("job").id());
    let target = client.target().to_string();
    assert_eq!(exit.text("data.redis.connection"), Some(target));
    assert!(!exit.json().contains("geheim"));
    assert_eq!(awaiting.spans().len(), 1);
}

#[test]
fn sync_connections_fail_as_well() {
    let (client, recorder) = (client(), Recorder::new());
    assert!(recorder.enter_entry(|| client.get_connection()).is_err());
    assert_eq!(command(&recorder.span("redis", Kind::Exit)), "connect");
}

/// Calls somebody to find the server.
struct Asking;

impl AsyncDNSResolver for Asking {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        _: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            instana::exit_span("ask").end();
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let addresses: Box<dyn Iterator<Item = SocketAddr> + Send> =
                Box::new(std::iter::once(address));
            Ok(addresses)
        })
    }
}

#[tokio::test]
async fn what_is_called_meanwhile_is_recorded() {
    let (client, recorder) = (client(), Recorder::new());
    let config = AsyncConnectionConfig::new().set_dns_resolver(Asking);
    let call = client.get_multiplexed_async_connection_with_config(&config);
    assert!(recorder.in_entry(call).await.is_err());
    let (job, asked) = (recorder.labelled("job"), recorder.labelled("ask"));
    assert_eq!(asked.parent(), job.id());
}
