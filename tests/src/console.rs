//! What a process printed, in a form that can be compared.

use std::{collections::HashMap, fmt::Write as _};

/// What a process printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    /// The process's name.
    pub process: String,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// Its exit status, as a shell shows it.
    pub status: i32,
}

/// Ports that the kernel chooses (Linux's default `ip_local_port_range`).
const EPHEMERAL: std::ops::RangeInclusive<u32> = 32_768..=60_999;

/// All consoles of an exchange as one text, in which only what no run repeats or no two versions of Python share is
/// replaced:
///
/// - Ports that the kernel chose become `<port 1>`, `<port 2>` in the order in which they appear, so that the same
///   port stays the same.
/// - The programs' files lose the directory in which they happen to lie.
/// - Frames of other files (the standard library's) and the marks under a traceback's lines are left out.
pub(crate) fn transcript(consoles: &[Console]) -> String {
    let mut text = String::new();
    for console in consoles {
        let Console {
            process,
            stdout,
            stderr,
            status,
        } = console;
        let stderr = own_frames(stderr, consoles);
        write!(text, "== {process}: stdout\n{stdout}").unwrap();
        write!(text, "== {process}: stderr\n{stderr}").unwrap();
        writeln!(text, "== {process}: exit status {status}").unwrap();
    }
    name_ports(&text)
}

/// Standard error with only the frames of the exchange's own files, and without the marks under their lines.
fn own_frames(stderr: &str, consoles: &[Console]) -> String {
    let mut out = String::new();
    let mut foreign = false;
    for line in stderr.split_inclusive('\n') {
        if let Some((path, rest)) = frame(line) {
            let file = path.rsplit('/').next().unwrap_or(path);
            foreign = !consoles
                .iter()
                .any(|console| file.strip_suffix(".py") == Some(&console.process));
            if !foreign {
                write!(out, "  File \"{file}\"{rest}").unwrap();
            }
            continue;
        }
        let is_source = line.starts_with("    ");
        foreign = foreign && is_source;
        let is_mark = is_source && line.trim().chars().all(|c| c == '^' || c == '~');
        if !foreign && !is_mark {
            out.push_str(line);
        }
    }
    out
}

/// The path of a traceback's frame, and what follows it.
fn frame(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("  File \"")?.split_once('"')
}

impl Console {
    /// The paths of all files that standard error names in tracebacks.
    pub fn files_in_tracebacks(&self) -> Vec<&str> {
        self.stderr
            .lines()
            .filter_map(|line| Some(frame(line)?.0))
            .collect()
    }
}

fn name_ports(text: &str) -> String {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, word) = rest.split_at(start);
        let end = word
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        out.push_str(before);
        match word.parse::<u32>() {
            Ok(number) if EPHEMERAL.contains(&number) => {
                let next = names.len() + 1;
                let name = names.entry(word).or_insert(next);
                write!(out, "<port {name}>").unwrap();
            }
            Ok(_) | Err(_) => out.push_str(word),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn only_what_no_run_repeats_is_replaced() {
        let console = |process: &str, stdout: &str, stderr: &str| Console {
            process: process.to_owned(),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            status: 0,
        };
        let stderr = "Traceback (most recent call last):\n  File \"/usr/lib/threading.py\", line 9\n    self.run()\n\
                      \x20 File \"/home/reader/client.py\", line 3, in <module>\n    connect(1)\n    ~~~~~~~^^^\nOSError: no\n";
        let consoles = [
            console("server", "from ('127.0.0.1', 40001) on 8888\n", ""),
            console("client", "I am 40001, not 40002\n", stderr),
        ];
        assert_eq!(consoles[1].files_in_tracebacks().len(), 2);
        expect![[r#"
            == server: stdout
            from ('127.0.0.1', <port 1>) on 8888
            == server: stderr
            == server: exit status 0
            == client: stdout
            I am <port 1>, not <port 2>
            == client: stderr
            Traceback (most recent call last):
              File "client.py", line 3, in <module>
                connect(1)
            OSError: no
            == client: exit status 0
        "#]]
        .assert_eq(&transcript(&consoles));
    }
}
