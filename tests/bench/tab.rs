//! The product in a browser, without a look at it while something is measured: scripts in the page wait by themselves.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use fantoccini::{Client, wd::TimeoutConfiguration};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    load::{Sample, Workload},
    python,
};

/// How long a script may wait.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until the page can be used, and answers with the page's age in milliseconds, or null if that is no page.
const READY: &str = r#"
const [done] = arguments;
if (document.contentType !== "text/html") {
    done(null);
    return;
}
const look = () => {
    const button = document.querySelector('[data-testid="run-all"]');
    if (!window.socketpad || button?.ariaDisabled !== "false" && button?.ariaDisabled !== null) return false;
    done(performance.now());
    return true;
};
if (!look()) {
    const timer = setInterval(() => look() && clearInterval(timer), 1);
}
"#;

/// Presses buttons, each when what the earlier one started has written something that can be seen. Answers with the
/// page's age when each was pressed, and when the output of each of its processes was in the page.
const PRESS: &str = r#"
const [steps, done] = arguments;
const find = (id) => document.querySelector(`[data-testid="${id}"]`);
const written = (process) => find(`console-${process}`).querySelector(".line:not(.system)")?.textContent;
const press = (index) => {
    if (index === steps.length) {
        observer.disconnect();
        done(steps.map(({ pressed, processes }) => ({ pressed, written: processes.map((one) => one.at) })));
        return;
    }
    steps[index].pressed = performance.now();
    find(steps[index].button).click();
};
const look = () => {
    const index = steps.findIndex(({ processes }) => processes.some((one) => !one.at));
    if (index < 0 || steps[index].pressed === undefined) return;
    for (const one of steps[index].processes) if (!one.at && written(one.process)) one.at = performance.now();
    if (steps[index].processes.every((one) => one.at)) press(index + 1);
};
const observer = new MutationObserver(look);
observer.observe(document.body, { subtree: true, childList: true, characterData: true });
press(0);
"#;

/// Waits until a process is in one of these states, and answers with what it shows.
const UNTIL: &str = r#"
const [process, states, done] = arguments;
const pad = window.socketpad;
const look = () => {
    if (!states.includes(pad.state(process))) return false;
    observer.disconnect();
    done({ state: pad.state(process), stdout: pad.stdout(process), stderr: pad.stderr(process) });
    return true;
};
const observer = new MutationObserver(look);
observer.observe(document.body, { subtree: true, childList: true, attributes: true });
look();
"#;

/// A button and the processes that it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    /// The button.
    pub(crate) button: &'a str,
    /// The processes, all of which write something.
    pub(crate) processes: &'a [&'a str],
}

/// When a step was taken, by the page's age in milliseconds.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Taken {
    /// When the button was pressed.
    pub(crate) pressed: f64,
    /// When the output of each process could be seen.
    pub(crate) written: Vec<f64>,
}

/// What a process shows.
#[derive(Clone, Debug, Deserialize)]
struct Look {
    state: String,
    stdout: String,
    stderr: String,
}

/// The product's page in the browser's current tab.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tab<'a> {
    browser: &'a Client,
    relay: SocketAddr,
}

impl<'a> Tab<'a> {
    /// A tab that shows what this relay serves.
    pub(crate) async fn new(browser: &'a Client, relay: SocketAddr) -> Result<Self> {
        let patience = TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None);
        browser.update_timeouts(patience).await?;
        Ok(Self { browser, relay })
    }

    /// Opens the page with a pane for each file, and says how old it was when it could be used, in milliseconds.
    pub(crate) async fn open(&self, files: &[(&str, &str)]) -> Result<f64> {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let url = format!("http://{}/?processes={}", self.relay, names.join(","));
        self.browser.goto(&url).await?;
        let age = self.script(READY, vec![]).await?;
        let age = age
            .as_f64()
            .context("the relay has no page: `cargo xtask build` builds it in")?;
        for (name, text) in files {
            let set = "window.socketpad.setText(...arguments)";
            let arguments = vec![json!(format!("{name}.py")), json!(text)];
            self.browser.execute(set, arguments).await?;
        }
        Ok(age)
    }

    /// Takes these steps one after the other.
    pub(crate) async fn take(&self, steps: &[Step<'_>]) -> Result<Vec<Taken>> {
        let steps = steps.iter().map(|step| {
            let processes = step.processes.iter();
            let processes: Vec<Value> = processes.map(|name| json!({ "process": name })).collect();
            json!({ "button": step.button, "processes": processes })
        });
        let taken = self.script(PRESS, vec![steps.collect()]).await?;
        Ok(serde_json::from_value(taken)?)
    }

    /// Waits until a process has ended, and answers with what it printed.
    pub(crate) async fn ended(&self, process: &str) -> Result<String> {
        let states = json!(["exited", "stopped", "failed"]);
        let look = self.script(UNTIL, vec![json!(process), states]).await?;
        let look: Look = serde_json::from_value(look)?;
        ensure!(
            look.state == "exited" && look.stderr.is_empty(),
            "{process}: {look:?}"
        );
        Ok(look.stdout)
    }

    /// Runs the two programs of an exchange.
    pub(crate) async fn measure(&self, work: Workload) -> Result<Sample> {
        let server = python::server(python::PORT, work);
        let client = python::client(python::PORT, work);
        self.open(&[("server", &server), ("client", &client)])
            .await?;
        let step = |button, processes| Step { button, processes };
        self.take(&[
            step("run-server", &["server"]),
            step("run-client", &["client"]),
        ])
        .await?;
        let found = self.ended("client").await?;
        self.ended("server").await?;
        python::read(&found)
    }

    async fn script(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.browser.execute_async(script, arguments).await?)
    }
}
