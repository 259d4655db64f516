//! The end of the output: a line a step.

use std::time::Duration;

use crate::steps::Step;

pub(crate) fn print(steps: &[Step]) {
    let width = steps
        .iter()
        .map(|step| step.name.chars().count())
        .max()
        .unwrap_or_default();
    println!("\n── summary");
    for step in steps {
        let verdict = if step.passed { "ok    " } else { "FAILED" };
        let line = format!(
            "{verdict}  {:<width$}  {:>6.1} s  {}",
            step.name,
            step.took.as_secs_f64(),
            step.note
        );
        println!("{}", line.trim_end());
    }
    let failed = steps.iter().filter(|step| !step.passed).count();
    let took: Duration = steps.iter().map(|step| step.took).sum();
    match failed {
        0 => println!(
            "all {} steps passed in {:.0} s",
            steps.len(),
            took.as_secs_f64()
        ),
        _ => println!(
            "{failed} of {} steps failed ({:.0} s)",
            steps.len(),
            took.as_secs_f64()
        ),
    }
}
