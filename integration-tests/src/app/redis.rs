//! Calls to a Redis server.

use instana_redis::Client;
use redis::{Commands, RedisResult};

/// Records an entry with four calls, of which one fails.
pub(crate) fn call(url: &str) -> String {
    let calls = instana::entry_span("job").enter(|| calls(url));
    match calls {
        Ok(()) => "done".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn calls(url: &str) -> RedisResult<()> {
    let mut connection = Client::open(url)?.get_connection()?;
    let key = format!("instana:{}:app", std::process::id());
    let () = connection.set_ex(&key, "tea", 60)?;
    let _: String = connection.get(&key)?;
    // A string is no list.
    let _: RedisResult<i64> = connection.lpush(&key, "milk");
    redis::pipe()
        .atomic()
        .get(&key)
        .del(&key)
        .exec(&mut connection)
}
