//! Many bytes to and fro at the same time, every one compared.

use anyhow::Result;
use tests::figures::Table;

use crate::{choice::Choice, load::compare, native::Native, pipe::Plain, session::Line};

/// How many bytes go to and fro in a round.
pub(crate) const BYTES: u64 = 32 * 1024 * 1024;

/// Measures and prints.
pub(crate) fn report(choice: &Choice) -> Result<()> {
    let mut native = Native::build()?;
    let rounds = choice.rounds(10, 1);
    let (mut proxy, mut relay) = (0, 0);
    for _ in 0..rounds {
        proxy += lost(compare(&mut Plain::connect(native.once)?, BYTES));
        let socket = native.near.connect()?;
        let mut line = Line::new(&mut native.near.session, socket);
        let same = compare(&mut line, BYTES);
        if same.is_ok() {
            line.close()?;
        }
        relay += lost(same);
    }
    let title = format!("32 MiB to and fro, compared, {rounds} times");
    let mut table = Table::new(&title, &["", "bytes lost or changed", "aim"]);
    table.row(["bare proxy".to_owned(), proxy.to_string(), String::new()]);
    table.row(["relay".to_owned(), relay.to_string(), "0".to_owned()]);
    println!("{table}");
    Ok(())
}

/// How many bytes did not come back, or not as they were: all of them if the connection broke.
pub(crate) fn lost(same: Result<u64>) -> u64 {
    same.map_or(BYTES, |same| BYTES - same)
}
