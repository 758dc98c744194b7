//! The relay's counts, read as an operator's Prometheus reads them.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use anyhow::{Context as _, Result};

/// One look at the counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Values by name with labels, such as `socketpad_sockets{kind="stream"}`.
    samples: BTreeMap<String, f64>,
}

impl Metrics {
    /// Reads the text format.
    pub fn parse(text: &str) -> Self {
        let samples = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').expect("a name and a value");
                (name.to_owned(), value.parse().expect("a number"))
            })
            .collect();
        Self { samples }
    }

    /// Asks a relay that is another program, and waits for the answer.
    ///
    /// # Errors
    ///
    /// It cannot be asked, or does not answer with counts.
    pub fn ask(relay: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect(relay)?;
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {relay}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no counts")?;
        Ok(Self::parse(body))
    }

    /// The sum of a metric over all values of its labels that are not named.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples
            .iter()
            .filter(|(sample, _)| {
                let (metric, rest) = sample.split_once('{').unwrap_or((sample, ""));
                let has = |(label, value): &(&str, &str)| {
                    rest.trim_end_matches('}')
                        .split(',')
                        .any(|pair| pair == format!("{label}=\"{value}\""))
                };
                metric == name && labels.iter().all(has)
            })
            .map(|(_, value)| value)
            .sum()
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> f64 {
        self.sum("socketpad_sockets", &[])
    }

    /// How many processes run.
    pub fn processes(&self) -> f64 {
        self.sum("socketpad_processes", &[])
    }

    /// How many labs exist.
    pub fn labs(&self) -> f64 {
        self.sum("socketpad_labs", &[])
    }

    /// How many hosts exist.
    pub fn hosts(&self) -> f64 {
        self.sum("socketpad_hosts", &[])
    }

    /// How many bytes processes sent to their sockets.
    pub fn bytes_sent(&self) -> f64 {
        self.sum("socketpad_bytes_total", &[("direction", "sent")])
    }

    /// How many bytes sockets brought to their processes.
    pub fn bytes_received(&self) -> f64 {
        self.sum("socketpad_bytes_total", &[("direction", "received")])
    }

    /// How many processes were refused or ended for this reason.
    pub fn refusals(&self, reason: &str) -> f64 {
        self.sum("socketpad_refusals_total", &[("reason", reason)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_apart_and_summed() {
        let metrics = Metrics::parse(
            "# TYPE socketpad_sockets gauge\n\
             socketpad_sockets{kind=\"stream\"} 2\n\
             socketpad_sockets{kind=\"datagram\"} 1\n\
             socketpad_labs 4\n\
             # EOF\n",
        );
        assert_eq!(metrics.sockets(), 3.0);
        assert_eq!(metrics.sum("socketpad_sockets", &[("kind", "stream")]), 2.0);
        assert_eq!(metrics.labs(), 4.0);
        assert_eq!(metrics.hosts(), 0.0);
    }
}
