//! Figures that need time to pass: saturation, services under load, memory and
//! the cost of doing nothing.

use serde_json::Value;

use super::figures::median;
use super::program::Programs;
use super::table::{Report, Table, thousands};
use super::targets::{self, Target};

/// The default bound of the memory for spans.
const BOUND: f64 = 16.0 * 1024.0 * 1024.0;

/// What a process may grow by under full load: the bound, and 2 MiB for bodies
/// of requests, stacks and code.
const BOUND_KIB: f64 = 18.0 * 1024.0;

/// Seconds of saturation.
const SATURATED: &str = "3";

/// Rounds of which the median counts.
const ROUNDS: usize = 3;

fn number(value: &Value, key: &str) -> f64 {
    value.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Two threads that record without pause.
pub(crate) fn saturated(
    report: &mut Report,
    programs: &Programs,
    libraries: &[&str],
) -> Result<(), String> {
    let mut table =
        Table::new("library|ended/s|exported/s|not exported %|caller CPU ns/span|peak MiB");
    let (mut ours, mut fastrace) = (Value::Null, Value::Null);
    for library in libraries.iter().filter(|library| **library != "none") {
        let agent = programs.agent(false)?;
        let words = ["saturated", library, "--seconds", SATURATED, "--agent"];
        let answer = programs.run(&[&words[..], &[&agent.address]].concat())?;
        let (ended, exported) = (number(&answer, "ended"), number(&answer, "exported"));
        let lost = format!("{:.1}", (1.0 - exported / ended) * 100.0);
        let sent = thousands(exported_per_second(&answer));
        // Not all libraries know what they exported.
        let known = |figure: String| {
            if exported > 0.0 {
                figure
            } else {
                "?".to_owned()
            }
        };
        table.row([
            (*library).to_owned(),
            thousands(ended / number(&answer, "seconds")),
            known(sent),
            known(lost),
            thousands(number(&answer, "cpu_ns_per_span")),
            format!("{:.1}", number(&answer, "peak_kib") / 1024.0),
        ]);
        match *library {
            "instana" => ours = answer,
            "fastrace" => fastrace = answer,
            _ => {}
        }
    }
    let title = format!("Saturated: two threads record b without pause for {SATURATED} s");
    report.table(&title, &table);
    let targets = saturated_targets(&ours, &fastrace);
    targets::show(report, "Saturated: targets", &targets);
    Ok(())
}

/// `fastrace` is `null` where it was not measured.
fn saturated_targets(ours: &Value, fastrace: &Value) -> Vec<Target> {
    let lost = number(ours, "recorded") - number(ours, "exported") - number(ours, "dropped");
    let unrecorded = number(ours, "ended") - number(ours, "recorded");
    let mut targets = vec![
        Target::at_most("spans neither sent nor counted as dropped", lost, 0.0),
        Target::at_most("spans ended but not recorded", unrecorded, 0.0),
        Target::at_most("peak KiB added", number(ours, "peak_kib"), BOUND_KIB),
    ];
    if !fastrace.is_null() {
        let cpu = |value| number(value, "cpu_ns_per_span");
        let (sent, theirs) = (exported_per_second(ours), exported_per_second(fastrace));
        targets.push(Target::at_least("spans sent/s, fastrace's", sent, theirs));
        let (name, limit) = ("caller CPU ns/span, 0.2 of fastrace's", 0.2 * cpu(fastrace));
        targets.push(Target::at_most(name, cpu(ours), limit));
    }
    targets
}

fn exported_per_second(answer: &Value) -> f64 {
    number(answer, "exported_meanwhile") / number(answer, "seconds")
}

/// An axum service under load, for information.
pub(crate) fn services(
    report: &mut Report,
    programs: &Programs,
    libraries: &[&str],
) -> Result<(), String> {
    let mut table = Table::new("library|requests/s|p50 us|p99 us|CPU ns/request");
    for library in libraries {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let agent = programs.agent(true)?;
            let service = programs.service(library, &agent.address)?;
            let answer = programs.run(&["load", &service.address, "--seconds", "3"])?;
            let cpu = service.stop()? as f64 / number(&answer, "requests");
            rounds.push((answer, cpu));
        }
        let answers = || rounds.iter().map(|(answer, _)| answer);
        let of = |key| median(answers().map(|answer| number(answer, key)));
        table.row([
            (*library).to_owned(),
            thousands(of("per_second")),
            format!("{:.0}", of("p50_us")),
            format!("{:.0}", of("p99_us")),
            thousands(median(rounds.iter().map(|(_, cpu)| *cpu))),
        ]);
    }
    let title = "An axum service on a socket under load (information; 8 connections, same machine)";
    report.table(title, &table);
    Ok(())
}

/// Memory at rest and without an agent.
pub(crate) fn memory(report: &mut Report, programs: &Programs, seconds: u64) -> Result<(), String> {
    let agent = programs.agent(true)?;
    let rest = programs.run(&["rest", "--seconds", "5", "--agent", &agent.address])?;
    let seconds = seconds.to_string();
    println!("\nfull load without an agent, for {seconds} s …");
    let full = programs.run(&["full", "--seconds", &seconds])?;
    let peak = format!("absent agent, full load for {seconds} s, peak");
    let rows = [
        ("at rest, 5 s after the announce", &rest, "after_kib"),
        (peak.as_str(), &full, "most_kib"),
    ];
    let grown = |value, key| number(value, key) - number(value, "before_kib");
    let mut table = Table::new("memory|before KiB|then KiB|added KiB");
    for (what, value, key) in rows {
        let (before, then) = (number(value, "before_kib"), number(value, key));
        let figures = [before, then, then - before].map(thousands);
        table.row([what.to_owned()].into_iter().chain(figures));
    }
    report.table("Memory", &table);
    let kept = number(&full, "sent") + number(&full, "waiting") + number(&full, "dropped");
    let lost = (number(&full, "ended") - kept).abs();
    let (at_rest, under_load) = (grown(&rest, "after_kib"), grown(&full, "most_kib"));
    let targets = [
        ("KiB added by init at rest", at_rest, 2_048.0),
        (
            "bytes of spans, the bound",
            number(&full, "buffer_bytes"),
            BOUND,
        ),
        ("KiB added under full load", under_load, BOUND_KIB),
        ("spans ended but not accounted for", lost, 0.0),
    ];
    let targets = targets.map(|(name, figure, limit)| Target::at_most(name, figure, limit));
    targets::show(report, "Memory: targets", &targets);
    Ok(())
}

/// What a process that does nothing pays: the median of three runs, in which the
/// numbers of open files take turns.
pub(crate) fn idle(report: &mut Report, programs: &Programs) -> Result<(), String> {
    let mut runs = [0, 10_000].map(|files| (files, Vec::new()));
    for _ in 0..3 {
        for (files, answers) in &mut runs {
            let agent = programs.agent(true)?;
            let script = format!(
                "ulimit -n 20000 && exec {} idle --seconds 20 --files {files} --agent {}",
                programs.plain().display(),
                agent.address
            );
            answers.push(programs.run_shell(&script)?);
        }
    }
    let mut table = Table::new("open files|metrics sent|CPU us each|least|most|% of a core");
    let mut targets = Vec::new();
    for (files, answers) in runs {
        let figures = |key| answers.iter().map(move |answer| number(answer, key));
        let of = |key| median(figures(key));
        let (each, percent) = (of("cpu_us_each"), of("percent_of_a_core"));
        table.row([
            thousands(of("files")),
            thousands(of("metrics")),
            format!("{each:.0}"),
            format!("{:.0}", figures("cpu_us_each").fold(f64::MAX, f64::min)),
            format!("{:.0}", figures("cpu_us_each").fold(f64::MIN, f64::max)),
            format!("{percent:.3}"),
        ]);
        let name = format!("CPU us of one metrics, {files} files");
        targets.push(Target::at_most(name, each, 250.0));
        let name = format!("% of a core, {files} files");
        targets.push(Target::at_most(name, percent, 0.1));
    }
    report.table("An idle process: the metrics of each second", &table);
    targets::show(report, "Idle: targets", &targets);
    Ok(())
}
