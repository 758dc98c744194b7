//! The programs that the tests run: real files, which run unchanged under any Python.

use std::{fs, path::PathBuf};

/// The programs of one exchange: which file each process runs.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What it is called.
    name: String,
    /// Processes with the text of their file, which bears the process's name.
    programs: Vec<(String, String)>,
}

impl Exchange {
    /// Reads `tests/exchanges/<name>`. A numbered process, such as `client2`, runs the file of `client` if it has none.
    pub fn read(name: &str, processes: &[&str]) -> Self {
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("exchanges")
            .join(name);
        let text = |process: &str| fs::read_to_string(directory.join(format!("{process}.py")));
        let programs = processes
            .iter()
            .map(|&process| {
                let base = process.trim_end_matches(|c: char| c.is_ascii_digit());
                let text = text(process).or_else(|_| text(base));
                (
                    process.to_owned(),
                    text.unwrap_or_else(|error| panic!("{name}/{process}.py: {error}")),
                )
            })
            .collect();
        Self {
            name: name.to_owned(),
            programs,
        }
    }

    /// An exchange of one program that no file holds, because it is not valid Python.
    pub fn of(name: &str, process: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            programs: vec![(process.to_owned(), text.to_owned())],
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The processes' names, in order.
    pub fn processes(&self) -> Vec<&str> {
        let names = self.programs.iter().map(|(process, _)| process.as_str());
        names.collect()
    }

    /// Each process's file and its text.
    pub fn files(&self) -> impl Iterator<Item = (String, &str)> {
        self.programs
            .iter()
            .map(|(process, text)| (format!("{process}.py"), text.as_str()))
    }
}
