//! What strangers may use up, beyond the plain counts of [`Options`](super::Options).

use std::time::Duration;

use clap::Args;

use super::{maybe_no_seconds, seconds};

/// The limits that an operator can set. The command line's flags are these fields.
#[derive(Clone, Debug, Args)]
pub struct Limits {
    /// The most labs at a time that one client address has made. An IPv6 client is its /64.
    ///
    /// Behind a proxy, set --trusted-proxy too: else all clients have the proxy's address.
    #[arg(long = "max-labs-per-client", env = "SOCKETPAD_MAX_LABS_PER_CLIENT", value_name = "NUMBER", default_value_t = Self::default().labs_per_client)]
    pub labs_per_client: usize,

    /// The most viewers of a lab at a time.
    #[arg(long = "max-viewers", env = "SOCKETPAD_MAX_VIEWERS", value_name = "NUMBER", default_value_t = Self::default().viewers)]
    pub viewers: usize,

    /// The most events of a lab, a second, that its viewers are told. The others are counted.
    #[arg(long = "max-events", env = "SOCKETPAD_MAX_EVENTS", value_name = "NUMBER", default_value_t = Self::default().events)]
    pub events: usize,

    /// The most bytes that the relay may have to hold for the sockets of a lab together.
    ///
    /// A socket that does not fit in any more fails with ENOBUFS. Downloads of the lab's frames count too.
    #[arg(long = "max-lab-buffer", env = "SOCKETPAD_MAX_LAB_BUFFER", value_name = "BYTES", default_value_t = Self::default().lab_buffer)]
    pub lab_buffer: u64,

    /// The most bytes a second of a process, both ways together; 0 for no limit, else 65536 at least.
    ///
    /// A process that is faster is slowed down. Nothing is dropped.
    #[arg(long = "max-rate", env = "SOCKETPAD_MAX_RATE", value_name = "BYTES", value_parser = rate, default_value_t = Self::default().rate)]
    pub rate: u64,

    /// End a process whose program has done nothing with its sockets for this many seconds; 0 for never.
    #[arg(long = "max-idle", env = "SOCKETPAD_MAX_IDLE", value_name = "SECONDS", value_parser = maybe_no_seconds, default_value = "7200")]
    pub idle: Duration,

    /// End a lab this many seconds after it was made; 0 for never.
    #[arg(long = "max-lab-life", env = "SOCKETPAD_MAX_LAB_LIFE", value_name = "SECONDS", value_parser = maybe_no_seconds, default_value = "86400")]
    pub lab_life: Duration,

    /// Keep a lab and its hosts for this many seconds after the last process and viewer have left.
    #[arg(id = "lab_grace", long = "lab-grace", env = "SOCKETPAD_LAB_GRACE", value_name = "SECONDS", value_parser = maybe_no_seconds, default_value = "30")]
    pub grace: Duration,

    /// How many seconds a client may take to send the head of a request.
    #[arg(long = "head-timeout", env = "SOCKETPAD_HEAD_TIMEOUT", value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    pub head: Duration,

    /// How many seconds a process may take to say who it is.
    #[arg(long = "hello-timeout", env = "SOCKETPAD_HELLO_TIMEOUT", value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    pub hello: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            labs_per_client: 250,
            viewers: 16,
            events: 20_000,
            lab_buffer: 256 * 1024 * 1024,
            rate: 256 * 1024 * 1024,
            idle: Duration::from_secs(7200),
            lab_life: Duration::from_secs(86_400),
            grace: Duration::from_secs(30),
            head: Duration::from_secs(10),
            hello: Duration::from_secs(5),
        }
    }
}

/// The slowest rate that can be set, in bytes a second: with less, one turn of a session would hold up its pongs until
/// the process counts as silent.
const SLOWEST: u64 = 64 * 1024;

/// Reads a rate.
fn rate(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(rate @ (0 | SLOWEST..)) => Ok(rate),
        Ok(_) => Err(format!("it must be 0, or {SLOWEST} at least")),
        Err(_) => Err(String::from("a number of bytes is needed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_none_or_not_too_slow() {
        assert_eq!(rate("0"), Ok(0));
        assert_eq!(rate("65536"), Ok(65_536));
        assert!(rate("65535").is_err());
        assert!(rate("fast").is_err());
    }
}
