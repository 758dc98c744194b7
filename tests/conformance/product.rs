//! The product: a page in Chromium, from a relay of its own, which also serves the tests.

use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;
use tests::{Engine, Exchange, Page, browse};

use crate::{
    log::Results,
    place::{Piece, Place, follow},
    program,
};

/// The process that the module runs in.
const PROCESS: &str = "server";

/// What it has printed from this place on, how much that is in all, and whether it runs no more.
const READ: &str = r#"
const [process, from] = arguments;
const { state } = document.querySelector(`[data-testid="state-${process}"]`).dataset;
const isOver = ["exited", "stopped", "failed"].includes(state);
const text = window.socketpad.stdout(process).slice(from);
const end = text.lastIndexOf("\n") + 1;
return { text: text.slice(0, end), at: from + end, isOver };
"#;

/// The end of what it has said to standard error.
const LAST_WORDS: &str = "return window.socketpad.stderr(arguments[0]).slice(-300)";

/// Runs a module.
pub(crate) fn run(module: &'static str) -> Result<Results> {
    let mut results = Ok(Results::default());
    browse(Engine::Chromium, async |page| {
        let mut product = Product {
            module,
            page,
            at: 0,
        };
        results = follow(&mut product).await;
    });
    results
}

struct Product<'a> {
    module: &'static str,
    page: &'a Page,
    /// How much of what it has printed was read, as JavaScript counts.
    at: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Printed {
    text: String,
    at: u64,
    is_over: bool,
}

impl Place for Product<'_> {
    const PATIENCE: Duration = Duration::from_secs(60);

    async fn start(&mut self, done: &Results) -> Result<()> {
        let archive = format!("http://{}/suite.zip", self.page.relay().address());
        let text = program(&format!("test.{}", self.module), done, Some(&archive));
        let exchange = Exchange::of("conformance", PROCESS, &text);
        // Opening the page again ends what ran there.
        self.page.open(&exchange).await;
        self.page.run(PROCESS).await;
        self.page
            .until("the module runs", async || {
                let state = self.page.state(PROCESS).await;
                (!["idle", "booting", "starting"].contains(&state.as_str())).then_some(())
            })
            .await;
        self.at = 0;
        Ok(())
    }

    async fn read(&mut self) -> Result<Piece> {
        let printed = self
            .page
            .script(READ, vec![json!(PROCESS), json!(self.at)])
            .await;
        let printed: Printed = serde_json::from_value(printed)?;
        self.at = printed.at;
        let is_over = printed.is_over && printed.text.is_empty();
        if printed.text.is_empty() && !is_over {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Ok(Piece {
            lines: printed.text.lines().map(str::to_owned).collect(),
            is_over,
        })
    }

    async fn last_words(&mut self) -> String {
        let words = self.page.script(LAST_WORDS, vec![json!(PROCESS)]).await;
        words.as_str().unwrap_or_default().to_owned()
    }
}
