//! The relay as a program of its own, for what a relay within the test cannot do.
//!
//! An ordinary user's relay enters a user namespace, which a process can do only while it has one thread, and a test has
//! many.

use std::{
    env,
    fmt::Display,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::Stdio,
};

use relay::{NetworkKind, Options};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::DEADLINE;

/// A running relay. It is killed when this is dropped.
#[derive(Debug)]
pub struct Standalone {
    address: SocketAddr,
    child: Child,
    log: JoinHandle<String>,
}

impl Standalone {
    /// The binary: what `SOCKETPAD_BINARY` names, or what cargo has built beside this test.
    pub fn path() -> PathBuf {
        if let Some(path) = env::var_os("SOCKETPAD_BINARY") {
            return path.into();
        }
        let test = env::current_exe().unwrap();
        let path = test.ancestors().nth(2).unwrap().join("socketpad");
        assert!(
            path.exists(),
            "{} is needed: cargo build -p relay",
            path.display()
        );
        path
    }

    /// The flags that say the same as the options that tests on this network set, on a free port.
    pub fn flags(options: &Options) -> Vec<String> {
        let network = match options.network {
            NetworkKind::Auto => "auto",
            NetworkKind::Namespaces => "namespaces",
            NetworkKind::Portable => "portable",
        };
        let mut flags: Vec<String> = ["--listen", "127.0.0.1:0", "--network", network]
            .map(str::to_owned)
            .to_vec();
        for (flag, value) in [
            ("--silence", options.silence.as_secs_f64().to_string()),
            ("--ping", options.ping.as_secs_f64().to_string()),
            ("--grace", options.grace.as_secs_f64().to_string()),
            (
                "--lab-grace",
                options.limits.grace.as_secs_f64().to_string(),
            ),
            ("--max-idle", options.limits.idle.as_secs_f64().to_string()),
            ("--max-rate", options.limits.rate.to_string()),
            ("--max-lab-buffer", options.limits.lab_buffer.to_string()),
            ("--max-labs", options.labs.to_string()),
            ("--max-hosts", options.hosts.to_string()),
            ("--max-processes", options.processes.to_string()),
            ("--max-sockets", options.sockets.to_string()),
            ("--max-connections", options.connections.to_string()),
            ("--max-viewers", options.limits.viewers.to_string()),
            ("--max-events", options.limits.events.to_string()),
        ] {
            flags.extend([flag.to_owned(), value]);
        }
        for origin in &options.origins {
            flags.extend(["--allow-origin".to_owned(), origin.clone()]);
        }
        flags
    }

    /// Starts a command that becomes a relay, and waits until it listens.
    pub async fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = tokio::spawn(async move {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text).await;
            text
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(DEADLINE, lines.next_line());
        let line = line.await.expect("the relay starts in time").unwrap();
        let Some(line) = line else {
            panic!("the relay did not start: {}", log.await.unwrap());
        };
        let address = line.rsplit("//").next().and_then(|text| text.parse().ok());
        Self {
            address: address.expect("the relay says where it is"),
            child,
            log,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its counts, as Prometheus gets them.
    pub fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
        body.to_owned()
    }

    /// How many descriptors it has open, and how many of them lead into a network namespace.
    pub fn descriptors(&self) -> Descriptors {
        Descriptors::of(self.child.id().expect("the relay runs"))
    }

    /// How much memory it holds, in bytes.
    pub fn memory(&self) -> u64 {
        memory_of(self.child.id().expect("the relay runs"))
    }

    /// Asks it to stop, as Ctrl-C does.
    pub fn ask_to_stop(&self) {
        let pid = self.child.id().map(u32::cast_signed);
        let pid = pid.and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    /// Waits until it has stopped, and says what it has logged.
    pub async fn stopped(&mut self) -> String {
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        assert!(status.expect("the relay stops").unwrap().success());
        (&mut self.log).await.unwrap()
    }
}

/// How much memory a process holds, in bytes.
pub(crate) fn memory_of(process: impl Display) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    1024 * kibibytes.unwrap().parse::<u64>().unwrap()
}

/// The open descriptors of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// All of them.
    pub all: usize,
    /// Those of network namespaces.
    pub namespaces: usize,
    /// Those of TAP devices.
    pub taps: usize,
}

impl Descriptors {
    /// Those of a process, or of this one: `self`.
    pub fn of(process: impl Display) -> Self {
        let mut descriptors = Self {
            all: 0,
            namespaces: 0,
            taps: 0,
        };
        for entry in fs::read_dir(format!("/proc/{process}/fd")).unwrap() {
            descriptors.all += 1;
            // It may be closed again by now.
            let Ok(target) = fs::read_link(entry.unwrap().path()) else {
                continue;
            };
            let target = target.to_string_lossy();
            descriptors.namespaces += usize::from(target.starts_with("net:"));
            descriptors.taps += usize::from(target == "/dev/net/tun");
        }
        descriptors
    }
}
