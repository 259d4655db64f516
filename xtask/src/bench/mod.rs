//! `cargo xtask bench`: builds the package `benchmarks`, runs it and prints
//! tables. `docs/PERFORMANCE.md` says how to read them.

mod baseline;
mod callgrind;
mod clients;
mod figures;
mod footprint;
mod live;
mod program;
mod table;
mod targets;

use std::fs;

use clap::Args;
use serde_json::Value;

use self::baseline::Tools;
use self::figures::{Figures, SCENARIOS};
use self::program::Programs;
use self::table::{Report, Table, thousands};
use crate::programs::{self, VALGRIND};
use crate::steps::{self, Step};

/// How the benchmarks run.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Instructions and allocations of this tracer against benchmarks/baseline.json
    #[arg(long)]
    check: bool,
    /// What tracing adds to one call of sqlx, redis and rdkafka; with --docs, --ours, --only CALL
    #[arg(long)]
    clients: bool,
    /// Puts the tables into docs/PERFORMANCE.md
    #[arg(long)]
    docs: bool,
    /// Binary size, compile time and dependencies; with --only CRATE of one crate
    #[arg(long)]
    footprint: bool,
    /// Writes target/bench.json, too
    #[arg(long)]
    json: bool,
    /// Full load without an agent for 10 minutes, not 30 s
    #[arg(long)]
    long: bool,
    /// The crate whose footprint is measured, or the call of a client
    #[arg(long, value_name = "CRATE|CALL")]
    only: Option<String>,
    /// This tracer and no tracing only
    #[arg(long)]
    ours: bool,
    /// Makes today's figures the baseline
    #[arg(long)]
    write_baseline: bool,
}

/// The task, as steps of the summary.
pub(crate) fn run(options: &Options) -> Vec<Step> {
    if options.footprint {
        return vec![steps::timed("footprint", || footprint::measure(options))];
    }
    if options.clients {
        return vec![steps::timed("clients", || clients::measure(options))];
    }
    if options.check {
        return vec![check()];
    }
    if options.write_baseline {
        return vec![steps::timed("baseline", || baseline::write(ours()?))];
    }
    vec![steps::timed("bench", || tables(options))]
}

/// The figures of our own code against the committed baseline.
pub(crate) fn check() -> Step {
    println!("\n── instructions and allocations against the baseline");
    steps::timed("instructions", || baseline::compare(&ours()?))
}

/// Format and lints of the benchmarks, without the other libraries.
pub(crate) fn lints() -> [Step; 2] {
    let manifest = "--manifest-path benchmarks/Cargo.toml";
    let format = format!("fmt {manifest} --all --check");
    let lints = format!("clippy {manifest} --locked --all-targets -- -D warnings");
    [
        steps::cargo("benchmarks, format", &format),
        steps::cargo_apart("bench", "benchmarks, lints", &lints, &[]),
    ]
}

/// Instructions and allocations of this tracer. Builds no other library.
fn ours() -> Result<Vec<Figures>, String> {
    programs::ensure(&VALGRIND)?;
    let programs = Programs::build(&[])?;
    let measured = SCENARIOS.map(|scenario| figures::measure(&programs, &[], "instana", scenario));
    measured.into_iter().filter_map(Result::transpose).collect()
}

fn tables(options: &Options) -> Result<String, String> {
    programs::ensure(&VALGRIND)?;
    let features: &[&str] = if options.ours { &[] } else { &["competitors"] };
    let programs = Programs::build(features)?;
    let answer = programs.run(&["libraries"])?;
    let names = answer.as_array().into_iter().flatten();
    let libraries: Vec<&str> = names.filter_map(Value::as_str).collect();
    let mut all = Vec::new();
    for library in &libraries {
        println!("counting: {library}");
        for scenario in SCENARIOS {
            all.extend(figures::measure(&programs, &[], library, scenario)?);
        }
    }
    figures::measure_wall(&programs, &mut all)?;
    let mut report = Report::default();
    report.say(&Tools::describe());
    figures(&mut report, &all, &libraries);
    let (documents, bytes) = figures::documents(&programs)?;
    let targets = targets::of_figures(&all, documents);
    targets::show(&mut report, "Targets", &targets);
    report.say(&format!(
        "serde_json with derived structs: {} instructions for the {bytes:.0} bytes of b's JSON.",
        thousands(documents)
    ));
    live::saturated(&mut report, &programs, &libraries)?;
    let has_layer = |library: &&str| {
        all.iter()
            .any(|figures| figures.library == *library && figures.scenario == "axum")
    };
    let layered: Vec<&str> = libraries.iter().copied().filter(has_layer).collect();
    live::services(&mut report, &programs, &layered)?;
    live::idle(&mut report, &programs)?;
    live::memory(&mut report, &programs, if options.long { 600 } else { 30 })?;
    if options.docs {
        report.write("bench")?;
    }
    if options.json {
        return write_json(&programs, &all);
    }
    Ok(format!("{} figures", all.len()))
}

fn write_json(programs: &Programs, all: &[Figures]) -> Result<String, String> {
    let json = serde_json::to_value(all).map_err(|error| error.to_string())?;
    let path = programs.target.with_extension("json");
    fs::write(&path, format!("{json:#}\n"))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.display().to_string())
}

/// The tables of figures.
fn figures(report: &mut Report, all: &[Figures], libraries: &[&str]) {
    let title = "Instructions: calling thread + background, per iteration";
    show(report, title, all, libraries, |figures| {
        let background = thousands(figures.background_instructions);
        format!("{} + {background}", thousands(figures.hot_instructions))
    });
    let title = "Allocations (bytes): calling thread + background, per iteration";
    show(report, title, all, libraries, |figures| {
        let hot = (figures.hot_allocations, figures.hot_bytes);
        let background = (figures.background_allocations, figures.background_bytes);
        let cell = |(number, bytes)| format!("{} ({})", count(number), thousands(bytes));
        format!("{} + {}", cell(hot), cell(background))
    });
    let title = "Wall ns per iteration on the calling thread (ratio to fastrace)";
    let cell = |figures: &Figures| figures::wall_cell(figures, all);
    show(report, title, all, libraries, cell);
}

/// Tables of scenarios by libraries: spans first, then headers and requests.
fn show(
    report: &mut Report,
    title: &str,
    all: &[Figures],
    libraries: &[&str],
    cell: impl Fn(&Figures) -> String,
) {
    let (spans, requests) = SCENARIOS.split_at(6);
    for (what, scenarios) in [("spans", spans), ("headers and requests", requests)] {
        let mut table = Table::new(&["library", &scenarios.join("|")].join("|"));
        for library in libraries {
            let mut row = vec![(*library).to_owned()];
            row.extend(scenarios.iter().map(|scenario| {
                all.iter()
                    .find(|f| f.library == *library && f.scenario == *scenario)
                    .map_or_else(|| "–".to_owned(), &cell)
            }));
            table.row(row);
        }
        report.table(&format!("{title}: {what}"), &table);
    }
}

/// A number with at most three digits behind the point.
fn count(figure: f64) -> String {
    let text = format!("{figure:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
