//! Wall time: rounds in which every library has its turn, and their medians.

use super::figures::Figures;
use super::program::Programs;

const ROUNDS: usize = 5;
const BURSTS: &str = "100";

/// Fills in the wall times.
pub(crate) fn measure(programs: &Programs, all: &mut [Figures]) -> Result<(), String> {
    let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
    for _ in 0..ROUNDS {
        for (figures, times) in all.iter().zip(&mut rounds) {
            let agent = programs.agent(false)?;
            let (library, scenario) = (figures.library.as_str(), figures.scenario.as_str());
            let words = ["wall", library, scenario, "--bursts", BURSTS, "--agent"];
            let answer = programs.run(&[&words[..], &[&agent.address]].concat())?;
            times.extend(answer.as_f64());
        }
    }
    for (figures, mut times) in all.iter_mut().zip(rounds) {
        times.sort_by(f64::total_cmp);
        figures.wall_ns = times.get(times.len() / 2).copied();
    }
    Ok(())
}

/// A median and its ratio to fastrace's.
pub(crate) fn cell(figures: &Figures, all: &[Figures]) -> String {
    let Some(own) = figures.wall_ns else {
        return String::new();
    };
    let fastrace = all
        .iter()
        .find(|other| other.library == "fastrace" && other.scenario == figures.scenario)
        .and_then(|other| other.wall_ns);
    match fastrace {
        Some(fastrace) => format!("{own:.0} ({:.2})", own / fastrace),
        None => format!("{own:.0}"),
    }
}
