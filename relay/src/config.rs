//! What an operator can set.

mod access;
mod limits;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use protocol::limits::MAX_SOCKETS;

pub use access::{Access, AccessToken, AccessTokenError, ProxyHeader};
pub use limits::Limits;

/// How the hosts of a lab are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NetworkKind {
    /// As network namespaces where that is possible, else the portable way. The log says which it is, and why.
    Auto,
    /// Every host is a network namespace. Needs Linux, /dev/net/tun, and root or unprivileged user namespaces.
    Namespaces,
    /// Every host is a slice of 127.0.0.0/8. Needs no rights and runs everywhere.
    #[default]
    Portable,
}

/// Everything that can be set about a relay. The command line's flags are these fields.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where to listen for browsers.
    ///
    /// The relay speaks plain HTTP. To serve more than this machine, put a proxy that ends TLS before it.
    #[arg(long, env = "SOCKETPAD_LISTEN", value_name = "ADDRESS:PORT", default_value_t = Self::default().listen)]
    pub listen: SocketAddr,

    /// Serve the page from this directory instead of the one that is built in.
    #[arg(long, env = "SOCKETPAD_ASSETS", value_name = "DIRECTORY")]
    pub assets: Option<PathBuf>,

    /// Also let pages of this origin open processes, such as `https://school.example`. May be given several times.
    ///
    /// Pages that the relay serves itself always may.
    #[arg(
        long = "allow-origin",
        env = "SOCKETPAD_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub origins: Vec<String>,

    /// How the hosts of a lab are made.
    #[arg(long, env = "SOCKETPAD_NETWORK", value_enum, default_value_t = NetworkKind::Auto)]
    pub network: NetworkKind,

    /// Give up a connection that nothing was heard on for this many seconds; answers to pings count.
    #[arg(long, env = "SOCKETPAD_SILENCE", value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub silence: Duration,

    /// Ping every process after this many seconds.
    #[arg(long, env = "SOCKETPAD_PING", value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    pub ping: Duration,

    /// Keep the sockets of a process whose connection is lost for this many seconds, so that it can come back; 0 not at
    /// all.
    ///
    /// A WebSocket that is closed ends its process at once, and so does a page that is left.
    #[arg(long, env = "SOCKETPAD_GRACE", value_name = "SECONDS", value_parser = maybe_no_seconds, default_value = "15")]
    pub grace: Duration,

    /// The most labs at a time.
    #[arg(long = "max-labs", env = "SOCKETPAD_MAX_LABS", value_name = "NUMBER", default_value_t = Self::default().labs)]
    pub labs: usize,

    /// The most hosts in a lab, 254 at most.
    #[arg(long = "max-hosts", env = "SOCKETPAD_MAX_HOSTS", value_name = "NUMBER", default_value_t = Self::default().hosts)]
    pub hosts: usize,

    /// The most processes in a lab.
    #[arg(long = "max-processes", env = "SOCKETPAD_MAX_PROCESSES", value_name = "NUMBER", default_value_t = Self::default().processes)]
    pub processes: usize,

    /// The most sockets of a process, 512 at most. A further one fails with EMFILE.
    #[arg(long = "max-sockets", env = "SOCKETPAD_MAX_SOCKETS", value_name = "NUMBER", default_value_t = Self::default().sockets)]
    pub sockets: usize,

    /// The most HTTP and WebSocket connections at a time. Further ones wait.
    #[arg(long = "max-connections", env = "SOCKETPAD_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = Self::default().connections)]
    pub connections: usize,

    /// What strangers may use up.
    #[command(flatten)]
    pub limits: Limits,

    /// Who may use the relay.
    #[command(flatten)]
    pub access: Access,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            assets: None,
            origins: Vec::new(),
            // The command line's is auto. A program that has a relay in it says what it wants: namespaces are to be
            // entered before it has threads.
            network: NetworkKind::Portable,
            silence: Duration::from_secs(30),
            ping: Duration::from_secs(10),
            grace: Duration::from_secs(15),
            labs: 1000,
            hosts: 32,
            processes: 128,
            sockets: MAX_SOCKETS,
            connections: 10_000,
            limits: Limits::default(),
            access: Access::default(),
        }
    }
}

/// Reads a number of seconds, which may have decimals.
fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| String::from("a number of seconds is needed"))?;
    if !(0.001..=86_400.0).contains(&number) {
        return Err(String::from("it must be from 0.001 to 86400 seconds"));
    }
    Ok(Duration::from_secs_f64(number))
}

/// Reads a number of seconds that may be none.
fn maybe_no_seconds(text: &str) -> Result<Duration, String> {
    if text == "0" {
        Ok(Duration::ZERO)
    } else {
        seconds(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn the_flags_have_the_defaults_of_the_type_but_for_the_network() {
        let parsed = CommandLine::parse_from(["socketpad"]).options;
        let expected = Options {
            network: NetworkKind::Auto,
            ..Options::default()
        };
        assert_eq!(format!("{parsed:?}"), format!("{expected:?}"));
    }

    #[test]
    fn seconds_may_have_decimals_and_are_checked() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("0").is_err());
        assert!(seconds("soon").is_err());
        assert!(seconds("NaN").is_err());
        assert_eq!(maybe_no_seconds("0"), Ok(Duration::ZERO));
        assert_eq!(maybe_no_seconds("2"), Ok(Duration::from_secs(2)));
        assert!(maybe_no_seconds("-1").is_err());
    }
}
