//! One connection for all.

use futures_util::FutureExt as _;
use instana::FutureExt;
use instana::testing::Recorder;
use instana_redis::Client;
use redis::AsyncCommands;

use super::{key, url};

const TASKS: usize = 64;
const ROUNDS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_exit_has_a_foreign_parent() {
    let recorder = Recorder::new();
    let client = Client::open(url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let connection = connection.clone();
            let job = async move {
                let name = format!("job {task}");
                let work = work(connection, task);
                work.in_span(instana::entry_span(&name)).await
            };
            tokio::spawn(recorder.scope(job))
        })
        .collect();
    let mut given_up = Vec::new();
    for task in tasks {
        given_up.push(task.await.unwrap());
    }
    assert!(given_up.iter().sum::<usize>() > TASKS);
    let spans = recorder.spans();
    for (task, given_up) in given_up.into_iter().enumerate() {
        let name = format!("job {task}");
        let entry = spans.iter().find(|span| span.label() == name).unwrap();
        let exits: Vec<_> = spans
            .iter()
            .filter(|span| span.parent() == entry.id())
            .collect();
        assert_eq!(exits.len(), 4 * ROUNDS);
        // What each asked for tells whose it is.
        let members = exits.iter().filter_map(|exit| exit.integer("b.s"));
        assert!(members.eq((0..ROUNDS).map(|_| task as i64 + 2)), "{task}");
        assert!(exits.iter().all(|exit| exit.trace() == entry.trace()));
        let failed = exits.iter().filter(|exit| exit.errors() > 0);
        assert_eq!(failed.count(), given_up);
    }
    assert_eq!(spans.len(), TASKS * (1 + 4 * ROUNDS));
}

/// How many of its calls were given up.
async fn work(mut connection: instana_redis::MultiplexedConnection, task: usize) -> usize {
    let mut given_up = 0;
    let name = key(&format!("task {task}"));
    for round in 0..ROUNDS {
        let () = connection.set_ex(&name, round, 60).await.unwrap();
        let value: usize = connection.get(&name).await.unwrap();
        assert_eq!(value, round);
        let mut pipeline = redis::pipe();
        for _ in 0..task + 2 {
            pipeline.get(&name);
        }
        let values: Vec<usize> = pipeline.query_async(&mut connection).await.unwrap();
        assert_eq!(values, vec![round; task + 2]);
        // Polled once, which sends it, and dropped.
        let call = connection.get::<_, usize>(&name);
        given_up += usize::from(call.now_or_never().is_none());
    }
    given_up
}
