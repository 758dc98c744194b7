//! Another program that takes part in a measurement.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// How many ticks of processor time a second has: `USER_HZ`, which is 100 on every platform of today (proc(5)).
const TICKS: f64 = 100.0;

/// A running program. It ends with this value, and knows by its standard input when this program has ended.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    _input: Option<ChildStdin>,
}

impl Program {
    /// Starts it. What it says first is where it can be reached.
    ///
    /// # Errors
    ///
    /// It cannot be started or says nothing.
    pub fn start(command: &mut Command) -> Result<(Self, String)> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let output = child.stdout.take().context("no standard output")?;
        let mut program = Self {
            _input: child.stdin.take(),
            child,
            output: BufReader::new(output),
        };
        let line = program.line()?;
        Ok((program, line))
    }

    /// The next line that it prints.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("a program ended early: {}", self.child.wait()?);
        }
        Ok(line.trim_end().to_owned())
    }

    /// The processor time that it has used, in seconds (proc_pid_stat(5)).
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn processor_time(&self) -> Result<f64> {
        let stat = self.read("stat")?;
        // The name, in parentheses, may have spaces. After it come the fields from the third on.
        let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
        let mut fields = fields.split_whitespace().skip(14 - 3);
        let mut next = || {
            fields
                .next()
                .context("no time in stat")?
                .parse::<f64>()
                .context("no number in stat")
        };
        Ok((next()? + next()?) / TICKS)
    }

    /// The memory that it has for itself and its share of what it has with others, in bytes (proc_pid_smaps(5)).
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn memory(&self) -> Result<u64> {
        let rollup = self.read("smaps_rollup")?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(1024 * number.context("no Pss in smaps_rollup")?.parse::<u64>()?)
    }

    /// How many descriptors it has open (proc_pid_fd(5)).
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn descriptors(&self) -> Result<usize> {
        let directory = format!("/proc/{}/fd", self.child.id());
        Ok(fs::read_dir(&directory).context(directory)?.count())
    }

    /// How many network namespaces it keeps alive with a descriptor (proc_pid_ns(5)).
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn namespaces(&self) -> Result<usize> {
        let directory = format!("/proc/{}/fd", self.child.id());
        let entries = fs::read_dir(&directory).context(directory)?;
        let links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        Ok(links
            .filter(|link| link.to_string_lossy().starts_with("net:["))
            .count())
    }

    /// Reads one of its files under /proc.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn read(&self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/{name}", self.child.id());
        fs::read_to_string(&path).with_context(|| path)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
