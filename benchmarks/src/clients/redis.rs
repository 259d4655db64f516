//! `GET` by a multiplexed connection, whose other end is a task of the same
//! runtime: one thread does all.

use std::hint::black_box;

use instana_redis::Traced;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncCommands, AsyncConnectionConfig, RedisConnectionInfo};
use tokio::io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

use super::Client;

/// A connection.
pub(super) struct Get<C>(C);

/// redis by itself.
pub(super) async fn plain() -> Result<Get<MultiplexedConnection>, String> {
    let (stream, other_end) = io::duplex(4_096);
    tokio::spawn(serve(other_end));
    // callgrind is 50 times slower.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let info = RedisConnectionInfo::default();
    let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config)
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(driver);
    Ok(Get(connection))
}

/// Traced by us.
pub(super) async fn traced() -> Result<Get<Traced<MultiplexedConnection>>, String> {
    let Get(connection) = plain().await?;
    Ok(Get(Traced::with_target(connection, "cache:6379")))
}

impl<C: ConnectionLike + Send + Sync> Client for Get<C> {
    async fn call(&mut self) -> Result<(), String> {
        let value: i64 = self
            .0
            .get("stock")
            .await
            .map_err(|error| error.to_string())?;
        black_box(value);
        Ok(())
    }
}

/// Answers `GET` with 1, and everything else with OK, until the client is gone.
async fn serve(stream: DuplexStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let arguments = length(&mut stream).await?;
        let mut is_get = false;
        for at in 0..arguments {
            let mut argument = vec![0; length(&mut stream).await? + 2];
            stream.read_exact(&mut argument).await?;
            is_get |= at == 0 && argument == b"GET\r\n";
        }
        let answer: &[u8] = if is_get { b"$1\r\n1\r\n" } else { b"+OK\r\n" };
        stream.write_all(answer).await?;
    }
}

/// Reads a line such as `*2` or `$3`.
async fn length(stream: &mut BufReader<DuplexStream>) -> io::Result<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let digits = line.trim_end().get(1..);
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
