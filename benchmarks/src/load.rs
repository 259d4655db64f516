//! An axum service on a socket, and requests for it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::process;
use crate::requests;
use crate::values;
use crate::work::Library;

/// Connections that each send one request after the other.
const CONNECTIONS: usize = 8;

/// Serves on a free port with one worker thread, until the standard input
/// ends; then prints the CPU time of the whole process.
pub(crate) fn serve<L: Library>(library: &L) -> Result<(), String> {
    let router = library
        .layer(requests::router())
        .ok_or("the library has no layer for axum")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_io()
        .build()
        .map_err(|error| error.to_string())?;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let end = thread::spawn(|| io::copy(&mut io::stdin(), &mut io::sink()));
        while !end.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        Ok::<_, io::Error>(())
    });
    served.map_err(|error| error.to_string())?;
    library.drain();
    println!("{}", process::process_cpu());
    Ok(())
}

/// Sends requests for so long.
pub(crate) fn run(address: &str, time: Duration) -> Result<Value, String> {
    let start = Instant::now();
    let mut latencies: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| connection(address, start, time)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().ok()?.ok())
            .flatten()
            .collect()
    });
    let took = start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |part: usize| latencies.get(latencies.len() * part / 100).copied();
    Ok(json!({
        "requests": latencies.len(),
        "per_second": latencies.len() as f64 / took,
        "p50_us": at(50).map(|ns| ns as f64 / 1_000.0),
        "p99_us": at(99).map(|ns| ns as f64 / 1_000.0),
    }))
}

fn connection(address: &str, start: Instant, time: Duration) -> io::Result<Vec<u64>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {}?{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: benchmarks/1.0\r\nAccept: */*\r\ntraceparent: {}\r\n\r\n",
        values::PATH,
        values::PARAMS,
        values::HOST,
        values::TRACEPARENT
    );
    let (mut latencies, mut buffer) = (Vec::new(), [0; 4_096]);
    while start.elapsed() < time {
        let sent = Instant::now();
        stream.write_all(request.as_bytes())?;
        // The answer is small: it comes whole.
        if stream.read(&mut buffer)? == 0 {
            break;
        }
        latencies.push(u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Ok(latencies)
}
