//! `cargo xtask bench`: builds the package `benchmarks`, runs it and prints
//! tables. `docs/PERFORMANCE.md` says how to read them.

mod baseline;
mod callgrind;
mod figures;
mod footprint;
mod live;
mod program;
mod table;
mod targets;
mod wall;

use std::fs;

use serde_json::Value;

use self::figures::{Figures, SCENARIOS};
use self::program::Programs;
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
        return vec![steps::timed("footprint", footprint::print)];
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
    print_instructions(&all, &libraries);
    print_allocations(&all, &libraries);
    print_wall(&all, &libraries);
    let (documents, bytes) = figures::documents(&programs)?;
    println!(
        "\nserde_json, derived structs: {documents:.0} instructions for the {bytes:.0} bytes of b's JSON"
    );
    targets::print("Targets", &targets::of_figures(&all, documents));
    live::saturated(&programs, &libraries)?;
    live::services(&programs, &libraries)?;
    live::idle(&programs)?;
    let seconds = if options.long {
        FULL_LOAD_LONG
    } else {
        FULL_LOAD
    };
    live::memory(&programs, seconds)?;
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

fn print_instructions(all: &[Figures], libraries: &[&str]) {
    print_table(
        "Instructions: calling thread + background, per iteration",
        all,
        libraries,
        |figures| {
            format!(
                "{} + {}",
                thousands(figures.hot_instructions),
                thousands(figures.background_instructions)
            )
        },
    );
}

fn print_allocations(all: &[Figures], libraries: &[&str]) {
    print_table(
        "Allocations and (bytes): calling thread + background, per iteration",
        all,
        libraries,
        |figures| {
            format!(
                "{} ({}) + {} ({})",
                count(figures.hot_allocations),
                thousands(figures.hot_bytes),
                count(figures.background_allocations),
                thousands(figures.background_bytes)
            )
        },
    );
}

fn print_wall(all: &[Figures], libraries: &[&str]) {
    print_table(
        "Wall ns per iteration on the calling thread: median of 5 interleaved rounds (ratio to fastrace)",
        all,
        libraries,
        |figures| wall::cell(figures, all),
    );
}

/// A table of scenarios by libraries.
fn print_table(
    title: &str,
    all: &[Figures],
    libraries: &[&str],
    cell: impl Fn(&Figures) -> String,
) {
    let mut table = Table::new([&["library"][..], &SCENARIOS].concat());
    for library in libraries {
        let cells = SCENARIOS.map(|scenario| {
            all.iter()
                .find(|f| f.library == *library && f.scenario == scenario)
                .map_or_else(|| "–".to_owned(), &cell)
        });
        table.row([vec![(*library).to_owned()], cells.to_vec()].concat());
    }
    table.print(title);
}

fn count(figure: f64) -> String {
    let text = format!("{figure:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
