//! A place where a module of tests runs, and how it is followed there.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::log::{Log, Outcome, Results};

/// Somewhere a program can run.
pub(crate) trait Place {
    /// For how long a test may say nothing.
    const PATIENCE: Duration;

    /// Starts the module without the tests that were told already, in place of what runs now.
    async fn start(&mut self, done: &Results) -> Result<()>;

    /// What the program has printed since, and whether it is over. Waits a little if there is nothing.
    async fn read(&mut self) -> Result<Piece>;

    /// What a program that has ended without a word has left behind.
    async fn last_words(&mut self) -> String;
}

/// What a program has printed since it was last looked at.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// Whole lines.
    pub(crate) lines: Vec<String>,
    /// Whether nothing more can come.
    pub(crate) is_over: bool,
}

/// Runs a module to its end, again without what was told whenever it stops in the middle.
pub(crate) async fn follow<P: Place>(place: &mut P) -> Result<Results> {
    let mut log = Log::default();
    while !log.is_done() {
        place.start(log.results()).await?;
        let mut heard = Instant::now();
        loop {
            let piece = place.read().await?;
            for line in &piece.lines {
                if log.line(line) {
                    heard = Instant::now();
                }
            }
            if log.is_done() {
                break;
            }
            if piece.is_over {
                let words = place.last_words().await;
                log.broke_off(Outcome::Died, &words);
                break;
            }
            if heard.elapsed() > P::PATIENCE {
                let why = format!("nothing was heard for {} s", P::PATIENCE.as_secs());
                log.broke_off(Outcome::Hung, &why);
                break;
            }
        }
    }
    Ok(log.results().clone())
}
