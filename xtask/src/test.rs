//! `cargo xtask test`: runs the steps and sums up.

use std::{
    fmt,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    step::{STEPS, Step},
    summary::Summary,
};

/// How a step went.
struct Report {
    /// Its name.
    name: &'static str,
    /// How long it took.
    duration: Duration,
    /// What went wrong, if something did.
    error: Option<anyhow::Error>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.error.is_some() { "FAILED" } else { "ok" };
        write!(
            f,
            "{word:6} {:12} {:5.0} s",
            self.name,
            self.duration.as_secs_f64()
        )?;
        match &self.error {
            Some(error) => write!(f, "  {error:#}"),
            None => Ok(()),
        }
    }
}

/// Runs all steps, or the one that is asked for.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut summary = Summary::default();
    let mut reports: Vec<Report> = Vec::new();
    for step in chosen(arguments)? {
        println!("\n== {}: {}", step.name, step.headline);
        let start = Instant::now();
        let error = match step.needs.filter(|name| has_failed(&reports, name)) {
            Some(name) => Some(anyhow::anyhow!("not run, because {name} failed")),
            None => (step.run)(&mut summary).err(),
        };
        if let Some(error) = &error {
            println!("{} FAILED: {error:#}", step.name);
        }
        reports.push(Report {
            name: step.name,
            duration: start.elapsed(),
            error,
        });
    }
    println!("\n== summary");
    for report in &reports {
        println!("{report}");
    }
    println!("{summary}");
    let failed = reports.iter().any(|report| report.error.is_some());
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn has_failed(reports: &[Report], name: &str) -> bool {
    reports
        .iter()
        .any(|report| report.name == name && report.error.is_some())
}

fn chosen(arguments: &[String]) -> Result<Vec<&'static Step>> {
    match arguments {
        [] => Ok(STEPS.iter().collect()),
        [flag, name] if flag == "--only" => match STEPS.iter().find(|step| step.name == name) {
            Some(step) => Ok(vec![step]),
            None => bail!("there is no step `{name}`; there are {}", names()),
        },
        _ => bail!(
            "usage: cargo xtask test [--only STEP], where STEP is one of {}",
            names()
        ),
    }
}

fn names() -> String {
    STEPS.map(|step| step.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen_names(arguments: &[&str]) -> Result<Vec<&'static str>> {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        Ok(chosen(&arguments)?.iter().map(|step| step.name).collect())
    }

    #[test]
    fn chooses_all_or_one() {
        assert_eq!(chosen_names(&[]).unwrap().len(), STEPS.len());
        assert_eq!(chosen_names(&["--only", "doc"]).unwrap(), ["doc"]);
        assert!(
            chosen_names(&["--only", "docs"])
                .unwrap_err()
                .to_string()
                .contains("fmt, eslint")
        );
        assert!(chosen_names(&["doc"]).is_err());
    }

    #[test]
    fn a_step_is_needed_only_by_later_ones() {
        for (index, step) in STEPS.iter().enumerate() {
            if let Some(name) = step.needs {
                assert!(
                    STEPS[..index].iter().any(|earlier| earlier.name == name),
                    "{} needs {name}",
                    step.name
                );
            }
        }
    }
}
