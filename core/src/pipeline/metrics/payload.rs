//! The body of a metrics request. `docs/METRICS.md` shows the keys to users.
//!
//! All figures are absolute or counted since the process began, but for `cpu`,
//! which is the load since the sample before (docs/PROTOCOL.md, "Metrics").
//! Keys that the process plugin of the other tracers has are named as there.
//!
//! # `golang`
//!
//! The schema of the Go tracer, all keys and no others. What Rust has no
//! figure for is zero, for the schema demands a number.
//!
//! | key | from |
//! | --- | --- |
//! | `snapshot.name` | process name, service or executable |
//! | `snapshot.version` | compiler and version, as `rustc 1.85.0` |
//! | `snapshot.goroot` | empty |
//! | `snapshot.maxprocs` | workers of the tokio runtimes, else as `cpu` |
//! | `snapshot.cpu` | CPUs that the process may use |
//! | `snapshot.compiler` | `rustc` |
//! | `snapshot.iv` | version of the tracer |
//! | `goroutine` | tasks of the tokio runtimes, else threads |
//! | `memory.sys` | resident memory |
//! | `memory.alloc`, `heap_alloc`, `heap_in_use` | bytes that live, of a metered allocator; else what the allocator says is in use; else anonymous resident memory |
//! | `memory.heap_sys` | what the allocator has mapped, else anonymous resident memory |
//! | `memory.heap_idle` | `heap_sys` without `heap_in_use` |
//! | `memory.total_alloc`, `mallocs`, `frees`, `heap_objects` | of a metered allocator, else 0 |
//! | `cgo_call`, `memory.lookups`, `heap_released`, `pause_total_ns`, `pause_ns`, `num_gc`, `gc_cpu_fraction` | 0 |

use crate::base::alloc::Counts;
use crate::base::json;
use crate::base::json::Object;
use crate::pipeline::metrics::sample::{Cgroup, Memory, Sample};
use crate::pipeline::metrics::snapshot::Snapshot;
use crate::pipeline::metrics::source::{Reading, Value};
use crate::pipeline::metrics::source_thread::Measured;
use crate::trace::context::unrecorded;

/// Which keys the agent expects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Schema {
    /// The schema of the Go tracer.
    Go,
    /// Our own, for every other name.
    Rust,
}

impl Schema {
    /// The schema of the plugin with this name.
    pub(super) fn of(plugin: &str) -> Self {
        if plugin == "golang" {
            Self::Go
        } else {
            Self::Rust
        }
    }
}

/// What the tracer does not measure by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Others {
    pub(super) sources: Vec<Measured>,
    /// Gauges and counters of the application.
    pub(super) custom: Vec<Reading>,
}

impl Others {
    /// The sum of the readings of this name that sources of this kind have: those
    /// whose name begins with it. Absent where there are none.
    fn sum(&self, kind: &str, name: &str) -> Option<u64> {
        let sources = self.sources.iter();
        let readings = sources
            .filter(|source| source.name.starts_with(kind))
            .flat_map(|source| &source.readings)
            .filter(|reading| reading.name == name)
            .map(|reading| reading.value.number().unsigned());
        readings.reduce(u64::saturating_add)
    }

    /// The allocator in use; C's reports its own part only.
    fn allocator(&self, name: &str) -> Option<u64> {
        let mut known = ["jemalloc", "mimalloc", "glibc"].iter();
        known.find_map(|allocator| self.sum(allocator, name))
    }
}

/// Appends the members of a body; without a sample its metrics are empty.
pub(super) fn write(
    schema: Schema,
    snapshot: Option<&Snapshot>,
    sample: Option<(&Sample, &Others)>,
    body: &mut Vec<u8>,
) {
    json::members(body, |body| {
        if let Some(snapshot) = snapshot {
            body.object("snapshot", |object| match schema {
                Schema::Go => go_snapshot(snapshot, sample.map(|(_, others)| others), object),
                Schema::Rust => rust_snapshot(snapshot, object),
            });
        }
        body.object("metrics", |object| match (schema, sample) {
            (_, None) => {}
            (Schema::Go, Some((sample, others))) => go_metrics(sample, others, object),
            (Schema::Rust, Some((sample, others))) => {
                rust_metrics(sample, object);
                rust_others(others, object);
            }
        });
    });
}

fn rust_snapshot(snapshot: &Snapshot, object: &mut Object<'_>) {
    object.text("name", snapshot.name.as_deref());
    object.text("version", snapshot.version);
    object.text("target", snapshot.target);
    object.text("os", std::env::consts::OS);
    object.text("arch", std::env::consts::ARCH);
    object.text("exec", snapshot.executable.as_deref());
    object.integer("start", snapshot.start);
    object.integer("cpu", snapshot.cpus);
    object.text("iv", env!("CARGO_PKG_VERSION"));
}

fn rust_metrics(sample: &Sample, object: &mut Object<'_>) {
    if let Some(cpu) = sample.cpu {
        object.object("cpu", |object| {
            object.fraction("user", cpu.user);
            object.fraction("sys", cpu.system);
        });
    }
    object.group("mem", |object| {
        let memory = sample.memory;
        object.integer("virtual", memory.map(|memory| memory.total));
        object.integer("resident", memory.map(|memory| memory.resident));
        object.integer("share", memory.map(|memory| memory.shared));
        object.integer("anonymous", memory.map(Memory::anonymous));
        object.integer("peak", sample.usage.map(|usage| usage.peak));
    });
    object.integer("threads", sample.threads);
    object.group("openFiles", |object| {
        object.integer("current", sample.open_files);
        object.integer("max", sample.open_files_limit);
    });
    if let Some(usage) = sample.usage {
        object.object("contextSwitches", |object| {
            object.integer("voluntary", usage.voluntary);
            object.integer("involuntary", usage.involuntary);
        });
        object.object("pageFaults", |object| {
            object.integer("minor", usage.minor_faults);
            object.integer("major", usage.major_faults);
        });
    }
    if let Some(heap) = sample.heap {
        object.object("heap", |object| {
            object.integer("live", heap.live());
            object.integer("liveObjects", heap.live_objects());
            object.integer("allocated", heap.allocated);
            object.integer("allocations", heap.allocations);
            object.integer("deallocations", heap.deallocations);
        });
    }
    if let Some((longest, wait)) = sample.polls {
        object.object("polls", |object| {
            object.fraction("longest", longest as f64 / 1_000.0);
            object.fraction("longestWait", wait as f64 / 1_000.0);
        });
    }
    rust_unrecorded(sample.unrecorded, object);
    rust_cgroup(&sample.cgroup, object);
}

fn rust_unrecorded(counts: unrecorded::Counts, object: &mut Object<'_>) {
    object.group("spans", |object| {
        for (key, count) in [
            ("entriesInside", counts.entries_inside),
            ("exitsOutside", counts.exits_outside),
            ("intermediatesOutside", counts.intermediates_outside),
        ] {
            object.integer(key, Some(count).filter(|count| *count > 0));
        }
    });
}

fn rust_cgroup(group: &Cgroup, object: &mut Object<'_>) {
    object.group("cgroup", |object| {
        object.group("cpu", |object| {
            if let Some(limit) = group.cpu_limit {
                object.fraction("limit", limit);
            }
            object.integer("usage", group.cpu_usage);
            object.integer("throttled", group.throttled);
            object.integer("throttledTime", group.throttled_time);
        });
        object.group("memory", |object| {
            object.integer("limit", group.memory_limit);
            object.integer("usage", group.memory_usage);
        });
    });
}

fn rust_others(others: &Others, object: &mut Object<'_>) {
    object.group("sources", |object| {
        for Measured { name, readings, .. } in &others.sources {
            object.group(name, |object| write_readings(readings, object));
        }
    });
    object.group("custom", |object| write_readings(&others.custom, object));
}

/// Each with its unit: nobody else knows it.
fn write_readings(readings: &[Reading], object: &mut Object<'_>) {
    for reading in readings {
        object.object(&reading.name, |object| {
            let kind = match reading.value {
                Value::Counter(_) => "counter",
                Value::Gauge(_) => "gauge",
            };
            object.number(kind, reading.value.number());
            object.text("unit", reading.unit.as_str());
        });
    }
}

fn go_snapshot(snapshot: &Snapshot, others: Option<&Others>, object: &mut Object<'_>) {
    let cpus = snapshot.cpus.unwrap_or_default();
    let workers = others.and_then(|others| others.sum("tokio", "workers"));
    object.text("name", snapshot.name.as_deref().unwrap_or_default());
    object.text("version", snapshot.version.unwrap_or("rustc"));
    object.text("goroot", "");
    object.integer("maxprocs", workers.unwrap_or(cpus));
    object.text("compiler", "rustc");
    object.integer("cpu", cpus);
    object.text("iv", env!("CARGO_PKG_VERSION"));
}

fn go_metrics(sample: &Sample, others: &Others, object: &mut Object<'_>) {
    let tasks = others.sum("tokio", "alive_tasks").or(sample.threads);
    let resident = sample.memory.map_or(0, |memory| memory.resident);
    let anonymous = sample.memory.map_or(0, Memory::anonymous);
    let heap = sample.heap.unwrap_or_default();
    let live = sample.heap.map(Counts::live);
    // What the application uses of it, as exactly as anybody knows.
    let used = live.or_else(|| others.allocator("in_use"));
    let used = used.unwrap_or(anonymous);
    let mapped = others.allocator("mapped").unwrap_or(anonymous);
    object.integer("cgo_call", 0);
    object.integer("goroutine", tasks.unwrap_or_default());
    object.object("memory", |object| {
        for (key, value) in [
            ("alloc", used),
            ("total_alloc", heap.allocated),
            ("sys", resident),
            ("lookups", 0),
            ("mallocs", heap.allocations),
            ("frees", heap.deallocations),
            ("heap_alloc", used),
            ("heap_sys", mapped),
            ("heap_idle", mapped.saturating_sub(used)),
            ("heap_in_use", used),
            ("heap_released", 0),
            ("heap_objects", heap.live_objects()),
            ("pause_total_ns", 0),
            ("pause_ns", 0),
            ("num_gc", 0),
        ] {
            object.integer(key, value);
        }
        object.fraction("gc_cpu_fraction", 0.0);
    });
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::pipeline::metrics::sample::{CpuLoad, Usage};

    fn sample() -> Sample {
        Sample {
            cpu: Some(CpuLoad {
                user: 1.25,
                system: 0.0,
            }),
            memory: Some(Memory {
                total: 9000,
                resident: 5000,
                shared: 2000,
            }),
            threads: Some(7),
            open_files: Some(20),
            open_files_limit: Some(1024),
            usage: Some(Usage {
                user: Duration::from_secs(1),
                system: Duration::ZERO,
                peak: 6000,
                minor_faults: 3,
                major_faults: 1,
                voluntary: 11,
                involuntary: 12,
            }),
            cgroup: Cgroup {
                cpu_limit: Some(1.5),
                cpu_usage: Some(21),
                throttled: Some(22),
                throttled_time: Some(23),
                memory_limit: Some(24),
                memory_usage: Some(25),
            },
            heap: Some(Counts {
                allocations: 31,
                deallocations: 11,
                allocated: 3_300,
                deallocated: 1_000,
            }),
            polls: Some((1_500, 250)),
            unrecorded: unrecorded::Counts {
                entries_inside: 51,
                exits_outside: 52,
                intermediates_outside: 53,
            },
        }
    }

    fn snapshot() -> Snapshot {
        Snapshot {
            name: Some("sh\"op".to_owned()),
            version: Some("rustc 1.85.0"),
            target: Some("t"),
            executable: Some("/bin/shop".to_owned()),
            start: Some(1_700_000_000_123),
            cpus: Some(8),
        }
    }

    fn written(schema: Schema, snapshot: Option<&Snapshot>, sample: &Sample) -> String {
        written_with(schema, snapshot, sample, &Others::default())
    }

    fn written_with(
        schema: Schema,
        snapshot: Option<&Snapshot>,
        sample: &Sample,
        others: &Others,
    ) -> String {
        let mut body = Vec::new();
        write(schema, snapshot, Some((sample, others)), &mut body);
        String::from_utf8(body).unwrap()
    }

    /// The members, as an object.
    fn json(members: &str) -> serde_json::Value {
        serde_json::from_str(&format!("{{{members}}}")).unwrap()
    }

    fn others() -> Others {
        let tokio = |name: &str, tasks| Measured {
            name: name.into(),
            readings: vec![
                Reading::new("workers", "threads", Value::Gauge(2_u64.into())),
                Reading::new("alive_tasks", "tasks", Value::Gauge(tasks)),
            ],
            problems: Vec::new(),
        };
        Others {
            sources: vec![tokio("tokio main", 5_u64.into()), tokio("tokio", 7.into())],
            custom: vec![
                Reading::new("te\"mp", "°C", Value::Gauge((-1.5).into())),
                Reading::new("orders", "", Value::Counter(3)),
            ],
        }
    }

    #[test]
    fn what_others_measure_has_its_units() {
        let text = written_with(Schema::Rust, None, &Sample::default(), &others());
        let expected = r#""metrics":{"sources":{"tokio main":{"workers":{"gauge":2,"unit":"threads"},"alive_tasks":{"gauge":5,"unit":"tasks"}},"tokio":{"workers":{"gauge":2,"unit":"threads"},"alive_tasks":{"gauge":7,"unit":"tasks"}}},"custom":{"te\"mp":{"gauge":-1.5,"unit":"°C"},"orders":{"counter":3,"unit":""}}}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn in_go_tasks_are_goroutines_and_workers_its_processors() {
        let text = written_with(Schema::Go, Some(&snapshot()), &sample(), &others());
        let body: serde_json::Value = json(&text);
        assert_eq!(body["metrics"]["goroutine"], 12);
        assert_eq!(body["snapshot"]["maxprocs"], 4);
        assert_eq!(body["snapshot"]["cpu"], 8);
        assert_eq!(body["metrics"].get("custom"), None);

        let mut others = others();
        let readings = [("in_use", 700_u64), ("mapped", 1_000)]
            .map(|(name, bytes)| Reading::new(name, "bytes", Value::Gauge(bytes.into())));
        others.sources.push(Measured {
            name: "jemalloc".into(),
            readings: readings.into(),
            problems: Vec::new(),
        });
        let sample = Sample {
            heap: None,
            ..sample()
        };
        let text = written_with(Schema::Go, None, &sample, &others);
        let body: serde_json::Value = json(&text);
        let memory = &body["metrics"]["memory"];
        assert_eq!([&memory["heap_in_use"], &memory["heap_idle"]], [700, 300]);
    }

    #[test]
    fn the_rust_schema() {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            r#""snapshot":{{"name":"sh\"op","version":"rustc 1.85.0","target":"t","os":"{os}","arch":"{arch}","exec":"/bin/shop","start":1700000000123,"cpu":8,"iv":"{version}"}},"metrics":{{"cpu":{{"user":1.25,"sys":0}},"mem":{{"virtual":9000,"resident":5000,"share":2000,"anonymous":3000,"peak":6000}},"threads":7,"openFiles":{{"current":20,"max":1024}},"contextSwitches":{{"voluntary":11,"involuntary":12}},"pageFaults":{{"minor":3,"major":1}},"heap":{{"live":2300,"liveObjects":20,"allocated":3300,"allocations":31,"deallocations":11}},"polls":{{"longest":1.5,"longestWait":0.25}},"spans":{{"entriesInside":51,"exitsOutside":52,"intermediatesOutside":53}},"cgroup":{{"cpu":{{"limit":1.5,"usage":21,"throttled":22,"throttledTime":23}},"memory":{{"limit":24,"usage":25}}}}}}"#
        );
        assert_eq!(
            written(Schema::Rust, Some(&snapshot()), &sample()),
            expected
        );
    }

    #[test]
    fn the_go_schema() {
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            r#""snapshot":{{"name":"sh\"op","version":"rustc 1.85.0","goroot":"","maxprocs":8,"compiler":"rustc","cpu":8,"iv":"{version}"}},"metrics":{{"cgo_call":0,"goroutine":7,"memory":{{"alloc":2300,"total_alloc":3300,"sys":5000,"lookups":0,"mallocs":31,"frees":11,"heap_alloc":2300,"heap_sys":3000,"heap_idle":700,"heap_in_use":2300,"heap_released":0,"heap_objects":20,"pause_total_ns":0,"pause_ns":0,"num_gc":0,"gc_cpu_fraction":0}}}}"#
        );
        assert_eq!(written(Schema::Go, Some(&snapshot()), &sample()), expected);
    }

    #[test]
    fn what_is_unknown_is_absent_in_ours_and_zero_in_go() {
        let nothing = Sample::default();
        let text = written(Schema::Rust, None, &nothing);
        assert_eq!(text, r#""metrics":{}"#);
        let full = written(Schema::Go, None, &sample());
        let go: serde_json::Value = json(&written(Schema::Go, None, &nothing));
        let full: serde_json::Value = json(&full);
        assert_eq!(keys(&go), keys(&full));
        assert_eq!(go["metrics"]["goroutine"], 0);
    }

    #[test]
    fn the_plugin_decides() {
        assert_eq!(Schema::of("golang"), Schema::Go);
        assert_eq!(Schema::of("rust"), Schema::Rust);
        assert_eq!(Schema::of("acme"), Schema::Rust);
    }

    /// `docs/METRICS.md` holds one row for each key of both schemas, in order.
    #[test]
    fn the_documentation_shows_the_keys() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/METRICS.md");
        let text = std::fs::read_to_string(&path).expect("docs/METRICS.md is there");
        for (schema, heading) in [
            (Schema::Rust, "Plugin `rust`"),
            (Schema::Go, "Plugin `golang`"),
        ] {
            let body = written(schema, Some(&snapshot()), &sample());
            // The host agent's transport writes the pid before them.
            let mut expected = keys(&json(&format!("\"pid\":1,{body}")));
            expected.sort();
            let mut sections = text.split("\n## ");
            let section = sections.find(|section| section.starts_with(heading));
            let rows = section.unwrap().lines();
            let rows = rows.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
            let mut rows: Vec<&str> = rows.collect();
            rows.sort_unstable();
            assert_eq!(rows, expected);
        }
    }

    /// The paths of all values.
    fn keys(value: &serde_json::Value) -> Vec<String> {
        let Some(object) = value.as_object() else {
            return vec![String::new()];
        };
        let mut paths = Vec::new();
        for (key, value) in object {
            for path in keys(value) {
                let path = format!("{key}.{path}");
                paths.push(path.trim_end_matches('.').to_owned());
            }
        }
        paths
    }
}
