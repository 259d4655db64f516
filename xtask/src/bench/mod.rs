//! `cargo xtask bench`: builds the package `benchmarks`, runs it and prints
//! tables. `docs/PERFORMANCE.md` says how to read them.

mod baseline;
mod callgrind;
mod figures;
mod footprint;
mod live;
mod program;
mod report;
mod table;
mod targets;
mod wall;

use std::fs;

use serde_json::Value;

use self::baseline::Tools;
use self::figures::{Figures, SCENARIOS};
use self::program::Programs;
use self::report::Report;
use self::table::{Table, thousands};
use crate::options::Bench;
use crate::packages;
use crate::steps::{self, Step};

/// Features of the package `benchmarks` that bring the other libraries in.
const COMPETITORS: [&str; 1] = ["competitors"];

/// Seconds of full load without an agent: usually, and with `--long`.
const FULL_LOAD: u64 = 30;
const FULL_LOAD_LONG: u64 = 600;

/// The task, as steps of the summary.
pub(crate) fn run(options: &Bench) -> Vec<Step> {
    if options.footprint {
        return vec![steps::timed("footprint", || {
            let mut report = Report::default();
            let only = options.only.as_deref();
            let summary = footprint::measure(&mut report, only)?;
            // The page shows all.
            if options.docs && only.is_none() {
                report.write("footprint")?;
            }
            Ok(summary)
        })];
    }
    if options.check {
        return vec![check()];
    }
    if options.write_baseline {
        return vec![steps::timed("baseline", || baseline::write(&ours()?))];
    }
    vec![steps::timed("bench", || tables(options))]
}

/// The figures of our own code against the committed baseline.
pub(crate) fn check() -> Step {
    println!("\n── instructions and allocations against the baseline");
    steps::timed("instructions", || baseline::compare(&ours()?))
}

/// Format and lints of the benchmarks, without the other libraries.
pub(crate) fn lints() -> Vec<Step> {
    let target = match packages::target() {
        Ok(target) => target.join("bench").display().to_string(),
        Err(error) => return vec![steps::timed("benchmarks", || Err(error))],
    };
    let manifest = ["--manifest-path", "benchmarks/Cargo.toml"];
    let format = [&["fmt"], &manifest[..], &["--all", "--check"]].concat();
    let lints = [
        "--locked",
        "--all-targets",
        "--target-dir",
        &target,
        "--",
        "-D",
        "warnings",
    ];
    vec![
        steps::cargo("benchmarks, format", &format),
        steps::cargo(
            "benchmarks, lints",
            &[&["clippy"], &manifest[..], &lints].concat(),
        ),
    ]
}

/// Instructions and allocations of this tracer. Builds no other library.
fn ours() -> Result<Vec<Figures>, String> {
    callgrind::ensure_installed()?;
    let programs = Programs::build(&[])?;
    let measured = SCENARIOS.map(|scenario| figures::measure(&programs, "instana", scenario));
    measured.into_iter().filter_map(Result::transpose).collect()
}

fn tables(options: &Bench) -> Result<String, String> {
    callgrind::ensure_installed()?;
    let features: &[&str] = if options.ours { &[] } else { &COMPETITORS };
    let programs = Programs::build(features)?;
    let answer = programs.run(&["libraries"])?;
    let names = answer.as_array().into_iter().flatten();
    let libraries: Vec<&str> = names.filter_map(Value::as_str).collect();
    let mut all = Vec::new();
    for library in &libraries {
        println!("counting: {library}");
        for scenario in SCENARIOS {
            all.extend(figures::measure(&programs, library, scenario)?);
        }
    }
    wall::measure(&programs, &mut all)?;
    let mut report = Report::default();
    report.say(&Tools::describe());
    instructions(&mut report, &all, &libraries);
    allocations(&mut report, &all, &libraries);
    wall_times(&mut report, &all, &libraries);
    let (documents, bytes) = figures::documents(&programs)?;
    targets::show(
        &mut report,
        "Targets",
        &targets::of_figures(&all, documents),
    );
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
    let seconds = if options.long {
        FULL_LOAD_LONG
    } else {
        FULL_LOAD
    };
    live::memory(&mut report, &programs, seconds)?;
    if options.docs {
        report.write("bench")?;
    }
    if options.json {
        return write_json(&programs, &all);
    }
    Ok(format!("{} figures", all.len()))
}

fn write_json(programs: &Programs, all: &[Figures]) -> Result<String, String> {
    let json: Value = all.iter().map(Figures::to_json).collect();
    let path = programs.target.with_extension("json");
    fs::write(&path, format!("{json:#}\n"))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.display().to_string())
}

fn instructions(report: &mut Report, all: &[Figures], libraries: &[&str]) {
    let title = "Instructions: calling thread + background, per iteration";
    show(report, title, all, libraries, |figures| {
        format!(
            "{} + {}",
            thousands(figures.hot_instructions),
            thousands(figures.background_instructions)
        )
    });
}

fn allocations(report: &mut Report, all: &[Figures], libraries: &[&str]) {
    let title = "Allocations (bytes): calling thread + background, per iteration";
    show(report, title, all, libraries, |figures| {
        format!(
            "{} ({}) + {} ({})",
            count(figures.hot_allocations),
            thousands(figures.hot_bytes),
            count(figures.background_allocations),
            thousands(figures.background_bytes)
        )
    });
}

fn wall_times(report: &mut Report, all: &[Figures], libraries: &[&str]) {
    let title = "Wall ns per iteration on the calling thread (ratio to fastrace)";
    show(report, title, all, libraries, |figures| {
        wall::cell(figures, all)
    });
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
        let mut table = Table::new([&["library"], scenarios].concat());
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

fn count(figure: f64) -> String {
    let text = format!("{figure:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
