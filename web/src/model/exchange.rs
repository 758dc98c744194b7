//! The exchange: what people write and run here, as files and processes.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::message::Program;

/// The article's TCP server.
const SERVER: &str = include_str!("exchange/server.py");
/// The article's TCP client.
const CLIENT: &str = include_str!("exchange/client.py");
/// How many processes a page shows at most; each is an interpreter of its own.
pub const MAX_PROCESSES: usize = 8;
/// The longest name of a process, in characters; longer ones do not fit a phone's screen.
const MAX_NAME: usize = 24;

/// One process of the page, for as long as the page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

/// A process' name: a small letter, then small letters, digits, `_` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessName(String);

impl ProcessName {
    /// Checks a name from outside.
    pub fn new(name: &str) -> Option<Self> {
        let tail = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter)
        };
        let proper = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(tail)
            && name.len() <= MAX_NAME;
        proper.then(|| Self(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the digits of a copy: `client` for `client2`.
    fn stem(&self) -> &str {
        self.0
            .trim_end_matches(|digit: char| digit.is_ascii_digit())
    }
}

impl fmt::Display for ProcessName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One process as the exchange describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessSpec {
    /// Which process of the page this is.
    pub id: ProcessId,
    /// What people call it.
    pub name: ProcessName,
    /// The file that it runs.
    pub file: String,
}

/// The files, and the processes that run them, in the order in which they start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The texts, by file name.
    files: BTreeMap<String, String>,
    /// The processes, in the order in which they start.
    processes: Vec<ProcessSpec>,
    /// The processes that it began with.
    names: Vec<ProcessName>,
    /// The last id that was given away.
    last_id: u32,
}

impl Default for Exchange {
    fn default() -> Self {
        Self::article()
    }
}

impl Exchange {
    /// The article's exchange: a TCP server and its client.
    pub fn article() -> Self {
        Self::with_processes(
            ["server", "client"]
                .into_iter()
                .filter_map(ProcessName::new)
                .collect(),
        )
    }

    /// An exchange with these processes; each runs a file of its own, which starts as the article's text.
    pub fn with_processes(names: Vec<ProcessName>) -> Self {
        let mut exchange = Self {
            files: BTreeMap::new(),
            processes: Vec::new(),
            names: names.clone(),
            last_id: 0,
        };
        for name in names {
            exchange.add(name);
        }
        exchange
    }

    /// Reads a list such as `server,client,client2`; improper and repeated names are left out.
    pub fn parse_names(list: &str) -> Vec<ProcessName> {
        let mut names = Vec::new();
        for name in list
            .split(',')
            .filter_map(|name| ProcessName::new(name.trim()))
        {
            if !names.contains(&name) && names.len() < MAX_PROCESSES {
                names.push(name);
            }
        }
        names
    }

    /// The processes, in the order in which they start.
    pub fn processes(&self) -> &[ProcessSpec] {
        &self.processes
    }

    /// The process with this name.
    pub fn process_named(&self, name: &str) -> Option<&ProcessSpec> {
        self.processes
            .iter()
            .find(|process| process.name.as_str() == name)
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.files.get(file).map(String::as_str)
    }

    /// Every file and its text, by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(file, text)| (file.as_str(), text.as_str()))
    }

    /// Takes over what an editor now shows; a file that the exchange does not have is left alone.
    pub fn edit(&mut self, file: &str, text: &str) {
        if let Some(kept) = self.files.get_mut(file) {
            text.clone_into(kept);
        }
    }

    /// Adds another client with a file of its own, a copy of the first client's text.
    pub fn add_client(&mut self) -> Option<ProcessId> {
        if MAX_PROCESSES <= self.processes.len() {
            return None;
        }
        let name = (1..)
            .map(|number: u32| {
                if number == 1 {
                    "client".to_owned()
                } else {
                    format!("client{number}")
                }
            })
            .find(|name| self.process_named(name).is_none())
            .and_then(|name| ProcessName::new(&name))?;
        Some(self.add(name))
    }

    /// Adds a process, unless there is one of this name or the page is full.
    pub fn add_missing(&mut self, name: ProcessName) {
        if self.process_named(name.as_str()).is_none() && self.processes.len() < MAX_PROCESSES {
            self.add(name);
        }
    }

    /// Back to the processes and texts that the exchange began with.
    ///
    /// A process that stays keeps its id, so that its pane and its console stay too.
    pub fn restore(&mut self) {
        let mut original = Self::with_processes(self.names.clone());
        original.last_id = original.last_id.max(self.last_id);
        for process in &mut original.processes {
            let kept = self
                .process_named(process.name.as_str())
                .map(|kept| kept.id);
            process.id = kept.unwrap_or_else(|| {
                original.last_id += 1;
                ProcessId(original.last_id)
            });
        }
        *self = original;
    }

    /// Says whether anything differs from what [`Self::restore`] would bring back.
    pub fn is_edited(&self) -> bool {
        let original = Self::with_processes(self.names.clone());
        let names = |exchange: &Self| {
            exchange
                .processes
                .iter()
                .map(|p| p.name.clone())
                .collect::<Vec<_>>()
        };
        original.files != self.files || names(&original) != names(self)
    }

    /// The program of one process, with every file as it is now.
    pub fn program(&self, process: &ProcessSpec) -> Program {
        Program {
            process: process.name.to_string(),
            host: "desk".to_owned(),
            file: process.file.clone(),
            files: self
                .files()
                .map(|(file, text)| (file.to_owned(), text.to_owned()))
                .collect(),
            args: Vec::new(),
        }
    }

    fn add(&mut self, name: ProcessName) -> ProcessId {
        self.last_id += 1;
        let id = ProcessId(self.last_id);
        let file = format!("{name}.py");
        let text = match name.stem() {
            "server" => SERVER.to_owned(),
            "client" => self.text("client.py").unwrap_or(CLIENT).to_owned(),
            _ => String::new(),
        };
        self.files.entry(file.clone()).or_insert(text);
        self.processes.push(ProcessSpec { id, name, file });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(exchange: &Exchange) -> Vec<&str> {
        exchange
            .processes()
            .iter()
            .map(|process| process.name.as_str())
            .collect()
    }

    #[test]
    fn the_article_has_a_server_and_a_client() {
        let exchange = Exchange::article();
        assert_eq!(names(&exchange), ["server", "client"]);
        assert!(
            exchange
                .text("server.py")
                .is_some_and(|text| text.contains("server.bind(('localhost', 8888))"))
        );
        assert!(
            exchange
                .text("client.py")
                .is_some_and(|text| text.contains("client.connect(('localhost', 8888))"))
        );
        assert!(!exchange.is_edited());
    }

    #[test]
    fn a_list_of_names_leaves_out_improper_and_repeated_ones() {
        let listed = Exchange::parse_names("server, client,client2,client,<b>,2nd,,Client,client3");
        let listed: Vec<_> = listed.iter().map(ProcessName::as_str).collect();
        assert_eq!(listed, ["server", "client", "client2", "client3"]);
    }

    #[test]
    fn an_added_client_copies_the_text_of_the_first() {
        let mut exchange = Exchange::article();
        exchange.edit("client.py", "print('mine')");
        let added = exchange.add_client();
        assert_eq!(
            added,
            exchange.process_named("client2").map(|process| process.id)
        );
        assert_eq!(exchange.text("client2.py"), Some("print('mine')"));
        exchange.edit("client2.py", "print('other')");
        assert_eq!(exchange.text("client.py"), Some("print('mine')"));
    }

    #[test]
    fn there_is_an_end_to_adding_clients() {
        let mut exchange = Exchange::article();
        while exchange.add_client().is_some() {}
        assert_eq!(exchange.processes().len(), MAX_PROCESSES);
    }

    #[test]
    fn restoring_brings_back_texts_and_processes_and_keeps_ids() {
        let mut exchange = Exchange::article();
        let before = exchange.clone();
        exchange.add_client();
        exchange.edit("server.py", "");
        assert!(exchange.is_edited());
        exchange.restore();
        assert!(!exchange.is_edited());
        assert_eq!(exchange.processes(), before.processes());
        let again = exchange.add_client();
        assert!(
            before
                .processes()
                .iter()
                .all(|process| Some(process.id) != again)
        );
    }

    #[test]
    fn a_program_carries_every_file() {
        let exchange = Exchange::article();
        let program = exchange.program(&exchange.processes()[1]);
        assert_eq!(
            (program.process.as_str(), program.file.as_str()),
            ("client", "client.py")
        );
        assert_eq!(program.files.len(), 2);
    }
}
