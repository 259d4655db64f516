//! Redis as a cluster: three masters, a third of the slots each.

use std::process::Command;
use std::time::Duration;

use super::redis;
use crate::place::Place;
use crate::service::Service;
use crate::{command, resp};

const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// Each node's share of the 16,384 slots.
const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

/// How long a node may take to answer for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(20);

pub(crate) const SERVICE: Service = Service {
    name: "redis-cluster",
    variable: "REDIS_CLUSTER_URLS",
    // Three nodes, then what they say among themselves.
    ports: &[17381, 17382, 17383, 17384, 17385, 17386],
    clients: 3,
    processes: &NODES,
    // The nodes forget each other, for their ports may be others now.
    prepare: |place| {
        let mut nodes = NODES.iter();
        nodes.try_for_each(|node| place.new_folder(node).map(drop))
    },
    commands,
    join,
    ready: |place| {
        for index in 0..NODES.len() {
            let address = place.address(index);
            let info = resp::ask(&address, "CLUSTER INFO")?;
            is_whole(&info).map_err(|missing| format!("{address}: {missing}"))?;
        }
        Ok(())
    },
    ..redis::COMMON
};

fn commands(place: &Place) -> Result<Vec<Command>, String> {
    let nodes = NODES.iter().enumerate();
    let commands = nodes.map(|(index, node)| {
        let mut redis = redis::server(place.port(index), &place.folder.join(node))?;
        redis.args(["--cluster-enabled", "yes", "--cluster-port"]);
        redis.arg(bus_port(place, index).to_string());
        redis.args(["--cluster-announce-ip", "127.0.0.1"]);
        // A busy machine is no failed node.
        redis.args(["--cluster-node-timeout", "15000"]);
        Ok(redis)
    });
    commands.collect()
}

fn join(place: &Place) -> Result<(), String> {
    for (index, (first, last)) in SLOTS.into_iter().enumerate() {
        let address = place.address(index);
        let what = format!("an answer of Redis at {address}");
        command::wait(&what, FIRST_ANSWER, || redis::answers(&address))?;
        let epoch = index + 1;
        resp::ask(&address, &format!("CLUSTER SET-CONFIG-EPOCH {epoch}"))?;
        resp::ask(&address, &format!("CLUSTER ADDSLOTSRANGE {first} {last}"))?;
    }
    for other in 1..NODES.len() {
        let (port, bus) = (place.port(other), bus_port(place, other));
        let meet = format!("CLUSTER MEET 127.0.0.1 {port} {bus}");
        resp::ask(&place.address(0), &meet)?;
    }
    Ok(())
}

fn bus_port(place: &Place, node: usize) -> u16 {
    place.port(NODES.len() + node)
}

/// Whether a node knows the others and who has which slots.
fn is_whole(info: &str) -> Result<(), String> {
    let expected = [
        "cluster_state:ok",
        "cluster_size:3",
        "cluster_known_nodes:3",
    ];
    let missing = expected
        .into_iter()
        .find(|line| !info.lines().any(|l| l == *line));
    missing.map_or(Ok(()), |line| Err(format!("not yet {line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_slots_have_a_node() {
        let mut next = 0;
        for (first, last) in SLOTS {
            assert_eq!(first, next);
            next = last + 1;
        }
        assert_eq!(next, 16_384);
    }

    #[test]
    fn a_cluster_is_whole_when_all_know_all() {
        let info = "cluster_state:ok\r\ncluster_known_nodes:3\r\ncluster_size:3\r\n";
        assert_eq!(is_whole(info), Ok(()));
        let missing = is_whole(&info.replace("nodes:3", "nodes:30"));
        assert_eq!(missing, Err("not yet cluster_known_nodes:3".to_owned()));
    }
}
