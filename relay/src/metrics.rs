//! What the relay counts, as Prometheus reads it.
//!
//! Everything that lives is counted by a [`Counted`] guard that its owner holds, so a count can never be left behind.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text};
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Registry;
use protocol::{Kind, Refusal};

use crate::session::ResumeFailure;

/// A live thing, counted in a gauge for as long as this is held.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The two directions of payload, seen from the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the names are the labels' values")]
enum Direction {
    sent,
    received,
}

/// The kinds of socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the names are the labels' values")]
enum SocketKind {
    stream,
    datagram,
    raw,
    ping,
    udplite,
}

/// What is counted of one kind of socket.
#[derive(Debug)]
struct Sockets {
    open: Gauge,
    bytes: Traffic,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SocketLabels {
    kind: SocketKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByteLabels {
    direction: Direction,
    kind: SocketKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// A pair of counters that the data path adds to without looking them up.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// Bytes from the process to its sockets.
    pub(crate) sent: Counter,
    /// Bytes from its sockets to the process.
    pub(crate) received: Counter,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    labs: Gauge,
    hosts: Gauge,
    processes: Gauge,
    started: Counter,
    streams: Sockets,
    datagrams: Sockets,
    raw: Sockets,
    pings: Sockets,
    udplite: Sockets,
    refusals: Family<ReasonLabels, Counter>,
    pauses: Counter,
    waiting: Gauge,
    resumes: Counter,
    resume_failures: Family<ReasonLabels, Counter>,
    viewers: Gauge,
    events: Counter,
    events_dropped: Counter,
}

/// A handle on the relay's counts. Its clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("socketpad");
        let (labs, hosts, processes) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("labs", "Labs that exist", labs.clone());
        registry.register("hosts", "Hosts that exist", hosts.clone());
        registry.register("processes", "Processes that run", processes.clone());
        let started = Counter::default();
        registry.register(
            "processes_started",
            "Processes that ever ran",
            started.clone(),
        );
        let sockets = Family::<SocketLabels, Gauge>::default();
        registry.register("sockets", "Sockets that are open", sockets.clone());
        let bytes = Family::<ByteLabels, Counter>::default();
        registry.register("bytes", "Payload carried, in bytes", bytes.clone());
        let refusals = Family::<ReasonLabels, Counter>::default();
        registry.register(
            "refusals",
            "Processes that the relay ended or did not let begin",
            refusals.clone(),
        );
        let pauses = Counter::default();
        registry.register(
            "pauses",
            "Pauses of processes that were faster than their rate allows",
            pauses.clone(),
        );
        let (waiting, resumes) = (Gauge::default(), Counter::default());
        registry.register(
            "processes_waiting",
            "Processes whose connection is lost and that may come back",
            waiting.clone(),
        );
        registry.register(
            "resumes",
            "Connections with which a process came back",
            resumes.clone(),
        );
        let resume_failures = Family::<ReasonLabels, Counter>::default();
        registry.register(
            "resume_failures",
            "Processes that did not come back, and connections that were refused",
            resume_failures.clone(),
        );
        let viewers = Gauge::default();
        registry.register("viewers", "Viewers of labs' events", viewers.clone());
        let (events, events_dropped) = (Counter::default(), Counter::default());
        registry.register("events", "Events of watched labs", events.clone());
        registry.register(
            "events_dropped",
            "Events that were over the quota and only counted",
            events_dropped.clone(),
        );
        let traffic = |kind| Traffic {
            sent: bytes.get_or_create_owned(&ByteLabels {
                direction: Direction::sent,
                kind,
            }),
            received: bytes.get_or_create_owned(&ByteLabels {
                direction: Direction::received,
                kind,
            }),
        };
        let counted = |kind| Sockets {
            open: sockets.get_or_create_owned(&SocketLabels { kind }),
            bytes: traffic(kind),
        };
        Self(Arc::new(Inner {
            labs,
            hosts,
            processes,
            started,
            streams: counted(SocketKind::stream),
            datagrams: counted(SocketKind::datagram),
            raw: counted(SocketKind::raw),
            pings: counted(SocketKind::ping),
            udplite: counted(SocketKind::udplite),
            refusals,
            pauses,
            waiting,
            resumes,
            resume_failures,
            viewers,
            events,
            events_dropped,
            registry,
        }))
    }
}

impl Metrics {
    /// All counts in the OpenMetrics text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        match text::encode(&mut text, &self.0.registry) {
            Ok(()) => text,
            Err(fmt::Error) => String::new(),
        }
    }

    pub(crate) fn count_lab(&self) -> Counted {
        Counted::new(&self.0.labs)
    }

    pub(crate) fn count_host(&self) -> Counted {
        Counted::new(&self.0.hosts)
    }

    pub(crate) fn count_process(&self) -> Counted {
        self.0.started.inc();
        Counted::new(&self.0.processes)
    }

    pub(crate) fn count_socket(&self, kind: Kind) -> Counted {
        Counted::new(&self.sockets(kind).open)
    }

    pub(crate) fn traffic(&self, kind: Kind) -> &Traffic {
        &self.sockets(kind).bytes
    }

    fn sockets(&self, kind: Kind) -> &Sockets {
        match kind {
            Kind::Stream => &self.0.streams,
            Kind::Datagram => &self.0.datagrams,
            Kind::Raw { .. } => &self.0.raw,
            Kind::Ping => &self.0.pings,
            Kind::UdpLite => &self.0.udplite,
        }
    }

    pub(crate) fn count_viewer(&self) -> Counted {
        Counted::new(&self.0.viewers)
    }

    pub(crate) fn events(&self) -> &Counter {
        &self.0.events
    }

    pub(crate) fn events_dropped(&self) -> &Counter {
        &self.0.events_dropped
    }

    pub(crate) fn paused(&self) {
        self.0.pauses.inc();
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        let reason = match refusal {
            Refusal::NoHello => "no_hello",
            Refusal::Protocol(_) => "protocol",
            Refusal::Full(_) => "full",
            Refusal::Silent(_) => "silent",
            Refusal::Shutdown => "shutdown",
            Refusal::Idle(_) => "idle",
            Refusal::Expired(_) => "expired",
            Refusal::Revoked => "revoked",
            Refusal::Gone => "gone",
        };
        self.0
            .refusals
            .get_or_create(&ReasonLabels { reason })
            .inc();
    }

    pub(crate) fn count_waiting(&self) -> Counted {
        Counted::new(&self.0.waiting)
    }

    pub(crate) fn resumed(&self) {
        self.0.resumes.inc();
    }

    pub(crate) fn resume_failed(&self, failure: ResumeFailure) {
        let reason = match failure {
            ResumeFailure::Unknown => "unknown",
            ResumeFailure::Token => "token",
            ResumeFailure::Late => "late",
        };
        self.0
            .resume_failures
            .get_or_create(&ReasonLabels { reason })
            .inc();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_counts_while_it_is_held() {
        let metrics = Metrics::default();
        let guard = metrics.count_socket(Kind::Stream);
        assert!(
            metrics
                .render()
                .contains("socketpad_sockets{kind=\"stream\"} 1\n")
        );
        drop(guard);
        assert!(
            metrics
                .render()
                .contains("socketpad_sockets{kind=\"stream\"} 0\n")
        );
    }

    #[test]
    fn refusals_are_counted_by_reason() {
        let metrics = Metrics::default();
        metrics.refused(&Refusal::Silent(30));
        assert!(
            metrics
                .render()
                .contains("socketpad_refusals_total{reason=\"silent\"} 1\n")
        );
    }
}
