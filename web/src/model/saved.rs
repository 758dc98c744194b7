//! The exchange as it is kept between visits, in JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::exchange::{Exchange, ProcessName};

/// The longest exchange that is kept, in bytes; browsers give a page about five million.
const MAX_BYTES: usize = 1_000_000;

/// Which processes the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Processes {
    /// These, because the address says so.
    Listed(Vec<ProcessName>),
    /// Those of the last visit, or those of the article.
    Remembered,
}

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    /// The names of the processes, in order.
    processes: Vec<String>,
    /// The texts, by file name.
    files: BTreeMap<String, String>,
}

/// Puts an exchange into words that [`restore`] understands; one that is too long is not kept.
pub fn save(exchange: &Exchange) -> Option<String> {
    let processes = exchange
        .processes()
        .iter()
        .map(|process| process.name.to_string())
        .collect();
    let files = exchange
        .files()
        .map(|(file, text)| (file.to_owned(), text.to_owned()))
        .collect();
    serde_json::to_string(&Saved { processes, files })
        .ok()
        .filter(|json| json.len() <= MAX_BYTES)
}

/// The exchange of the article with what was kept laid over it; what cannot be read counts as nothing kept.
pub fn restore(json: Option<&str>, processes: Processes) -> Exchange {
    let saved: Option<Saved> = json.and_then(|json| serde_json::from_str(json).ok());
    let mut exchange = match processes {
        Processes::Listed(names) => Exchange::with_processes(names),
        Processes::Remembered => {
            let mut exchange = Exchange::article();
            let names = saved.iter().flat_map(|saved| &saved.processes);
            for name in names.filter_map(|name| ProcessName::new(name)) {
                exchange.add_missing(name);
            }
            exchange
        }
    };
    for (file, text) in saved.iter().flat_map(|saved| &saved.files) {
        exchange.edit(file, text);
    }
    exchange
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
    fn what_is_saved_comes_back() {
        let mut exchange = Exchange::article();
        exchange.add_client();
        exchange.edit("client2.py", "print('你好')");
        let json = save(&exchange);
        let back = restore(json.as_deref(), Processes::Remembered);
        assert_eq!(names(&back), ["server", "client", "client2"]);
        assert!(back.files().eq(exchange.files()));
        assert!(back.is_edited());
    }

    #[test]
    fn the_address_decides_which_processes_there_are() {
        let mut exchange = Exchange::article();
        exchange.edit("server.py", "pass");
        let json = save(&exchange);
        let listed = Processes::Listed(Exchange::parse_names("server,client,client2,client3"));
        let back = restore(json.as_deref(), listed);
        assert_eq!(names(&back), ["server", "client", "client2", "client3"]);
        assert_eq!(back.text("server.py"), Some("pass"));
        assert_eq!(back.text("client3.py"), back.text("client.py"));
    }

    #[test]
    fn what_cannot_be_read_counts_as_nothing() {
        for json in [None, Some(""), Some("{"), Some("{\"files\": 3}")] {
            assert_eq!(restore(json, Processes::Remembered), Exchange::article());
        }
    }

    #[test]
    fn a_huge_exchange_is_not_kept() {
        let mut exchange = Exchange::article();
        exchange.edit("server.py", &"x".repeat(MAX_BYTES));
        assert_eq!(save(&exchange), None);
    }
}
