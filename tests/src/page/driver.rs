//! A browser and the WebDriver server that steers it.

use std::{
    env, fs,
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// Which browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chromium, or Chrome.
    Chromium,
    /// Firefox.
    Firefox,
}

impl Engine {
    /// A name for files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    fn capabilities(self, profile: &str) -> Value {
        match self {
            Self::Chromium => json!({
                "browserName": "chrome",
                "goog:chromeOptions": {
                    "binary": program("CHROMIUM", "chromium"),
                    "args": [
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--window-size=1280,900",
                        format!("--user-data-dir={profile}"),
                    ],
                },
                "goog:loggingPrefs": { "browser": "ALL" },
            }),
            Self::Firefox => json!({
                "browserName": "firefox",
                "moz:firefoxOptions": {
                    "binary": program("FIREFOX", "firefox-esr"),
                    "args": ["-headless", "--width=1280", "--height=900"],
                    // No outside request, ever.
                    "prefs": {
                        "app.update.enabled": false,
                        "browser.safebrowsing.downloads.remote.enabled": false,
                        "datareporting.policy.dataSubmissionEnabled": false,
                        "extensions.update.enabled": false,
                        "network.captive-portal-service.enabled": false,
                        "network.connectivity-service.enabled": false,
                        "toolkit.telemetry.reportingpolicy.firstRun": false,
                    },
                },
            }),
        }
    }

    fn server(self) -> Command {
        match self {
            Self::Chromium => {
                let mut command = Command::new(program("CHROMEDRIVER", "chromedriver"));
                command.arg("--port=0");
                command
            }
            Self::Firefox => {
                let mut command = Command::new(program("GECKODRIVER", "geckodriver"));
                command.args(["--port", "0"]);
                command
            }
        }
    }
}

/// The program that a variable names, or that is on the PATH. Drivers want the whole path of a browser.
fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = env::var_os(variable) {
        return path.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("there is no {name} on the PATH; name one in {variable}"))
}

/// A WebDriver server on a free port, with one session in a fresh profile. The server ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Driver {
    _server: Child,
    profile: PathBuf,
}

impl Driver {
    /// Starts the server and the browser.
    pub(crate) async fn start(engine: Engine) -> (Self, Client) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let profile = env::temp_dir().join(format!(
            "socketpad-{}-{}-{}",
            engine.name(),
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        let mut server = engine
            .server()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start the driver of {engine:?}: {error}"));
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap();
            let line = line.expect("the driver says where it listens");
            if let Some(port) = port(&line) {
                break port;
            }
        };
        // The server would be stopped by a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let Value::Object(capabilities) = engine.capabilities(&profile.to_string_lossy()) else {
            unreachable!("capabilities are an object");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|error| panic!("cannot start {engine:?}: {error}"));
        let driver = Self {
            _server: server,
            profile,
        };
        (driver, client)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.profile));
    }
}

/// The port in the line with which a driver says that it is ready.
fn port(line: &str) -> Option<u16> {
    let (_, rest) = line
        .split_once("started successfully on port ")
        .or_else(|| line.split_once("Listening on 127.0.0.1:"))?;
    rest.trim_end_matches('.').trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn drivers_say_where_they_listen() {
        let chromedriver = "ChromeDriver was started successfully on port 41237.";
        assert_eq!(port(chromedriver), Some(41237));
        let geckodriver = "1700000000000\tgeckodriver\tINFO\tListening on 127.0.0.1:38111";
        assert_eq!(port(geckodriver), Some(38111));
        assert_eq!(port("Only local connections are allowed."), None);
    }
}
