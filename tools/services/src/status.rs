//! What `status` shows.

use crate::service::Service;

/// A service, as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Something of it runs, but it is of no use.
    Broken(String),
    /// In a container; with Docker's words for how long.
    Contained {
        since: String,
        urls: String,
    },
    /// Not ours: its variable is set.
    Given(Result<(), String>),
    Running {
        pids: Vec<u32>,
        seconds: u64,
        urls: String,
    },
    Stopped,
}

/// One line a service.
pub(crate) fn render(services: &[(&Service, State)]) -> String {
    let lines = services.iter().map(|(service, state)| {
        let (word, rest) = describe(service, state);
        let line = format!("{:<16}{word:<10}{rest}", service.name);
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}

fn describe(service: &Service, state: &State) -> (&'static str, String) {
    match state {
        State::Broken(why) => ("broken", why.clone()),
        State::Contained { since, urls } => ("running", format!("{urls}  ({since})")),
        State::Given(Ok(())) => ("given", format!("by {}, answers", service.variable)),
        State::Given(Err(error)) => ("given", format!("by {error}")),
        State::Running {
            pids,
            seconds,
            urls,
        } => {
            let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
            let (pids, age) = (pids.join(" "), age(*seconds));
            ("running", format!("{urls}  (pid {pids}, for {age})"))
        }
        State::Stopped => ("stopped", String::new()),
    }
}

fn age(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::{mariadb, postgres, redis, redis_cluster, redis_sentinel};

    #[test]
    fn each_state_has_its_line() {
        let contained = State::Contained {
            since: "Up 3 minutes (healthy)".to_owned(),
            urls: redis::SERVICE.urls(&[17379]),
        };
        let running = State::Running {
            pids: vec![11, 12, 13],
            seconds: 200,
            urls: redis_cluster::SERVICE.urls(&[1, 2, 3, 4, 5, 6]),
        };
        let refused = "MARIADB_URL: db:3306: Connection refused".to_owned();
        let text = render(&[
            (&postgres::SERVICE, State::Given(Ok(()))),
            (&mariadb::SERVICE, State::Given(Err(refused))),
            (&redis::SERVICE, contained),
            (&redis_cluster::SERVICE, running),
            (&redis_sentinel::SERVICE, State::Stopped),
        ]);
        let expected = "\
postgres        given     by POSTGRES_URL, answers
mariadb         given     by MARIADB_URL: db:3306: Connection refused
redis           running   redis://127.0.0.1:17379  (Up 3 minutes (healthy))
redis-cluster   running   redis://127.0.0.1:1,redis://127.0.0.1:2,redis://127.0.0.1:3  \
(pid 11 12 13, for 3 min)
redis-sentinel  stopped
";
        assert_eq!(text, expected);
    }

    #[test]
    fn ages_have_one_unit() {
        assert_eq!(age(119), "119 s");
        assert_eq!(age(120), "2 min");
        assert_eq!(age(7_200), "2 h");
    }
}
