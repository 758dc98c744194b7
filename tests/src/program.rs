//! Another program that takes part in a measurement.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
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

    /// Starts one that says nothing of use on its standard output.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn silent(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let output = child.stdout.take().context("no standard output")?;
        Ok(Self {
            _input: child.stdin.take(),
            child,
            output: BufReader::new(output),
        })
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
        let [user, system] = fields(&self.read("stat")?, [14, 15])?;
        Ok((user + system) / TICKS)
    }

    /// The same with that of the processes which it has started, dead ones included, but not theirs in turn.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn family_time(&self) -> Result<f64> {
        let own = fields(&self.read("stat")?, [14, 15, 16, 17])?;
        let mut ticks: f64 = own.iter().sum();
        for entry in fs::read_dir("/proc")? {
            // Whatever is gone by now is no child that still works.
            let stat = fs::read_to_string(entry?.path().join("stat")).unwrap_or_default();
            if let Ok([parent, user, system]) = fields(&stat, [4, 14, 15])
                && parent == f64::from(self.child.id())
            {
                ticks += user + system;
            }
        }
        Ok(ticks / TICKS)
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
        Ok(self.network_namespaces()?.len())
    }

    /// Where those are (proc_pid_fd(5)).
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn network_namespaces(&self) -> Result<Vec<PathBuf>> {
        let directory = format!("/proc/{}/fd", self.child.id());
        let entries = fs::read_dir(&directory).context(directory)?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_one = |path: &PathBuf| {
            fs::read_link(path).is_ok_and(|link| link.to_string_lossy().starts_with("net:["))
        };
        Ok(paths.filter(is_one).collect())
    }

    /// How many threads it has (proc_pid_status(5)).
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn threads(&self) -> Result<usize> {
        let status = self.read("status")?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("Threads:"));
        Ok(line.context("no Threads in status")?.trim().parse()?)
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

/// These fields of a process's status, by their numbers in proc_pid_stat(5), from the third on.
fn fields<const COUNT: usize>(stat: &str, numbers: [usize; COUNT]) -> Result<[f64; COUNT]> {
    // The name, in parentheses, may have spaces.
    let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let mut values = [0.0; COUNT];
    for (value, number) in values.iter_mut().zip(numbers) {
        let word = words.get(number - 3).context("no such field in stat")?;
        *value = word.parse().context("no number in stat")?;
    }
    Ok(values)
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
