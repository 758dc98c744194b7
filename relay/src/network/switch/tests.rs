//! Tests of the switch as a whole.

mod property;

use std::time::{Duration, Instant};

use super::conditions::Cable;
use super::*;

/// A switch with hosts, and what came out of it.
struct Lab {
    switch: Switch,
    ports: Vec<PortId>,
    now: Instant,
    out: Vec<(usize, Vec<u8>)>,
}

/// Collects what comes out, with the host that it came out at.
struct Collector<'a>(&'a [PortId], &'a mut Vec<(usize, Vec<u8>)>);

impl Outlet for Collector<'_> {
    fn send(&mut self, to: PortId, frame: &[u8]) -> Handover {
        let host = self.0.iter().position(|known| *known == to).unwrap();
        self.1.push((host, frame.to_vec()));
        Handover::Taken
    }
}

fn mac(host: usize) -> MacAddress {
    MacAddress([2, 0, 0, 0, 0, u8::try_from(host).unwrap()])
}

fn to(receiver: MacAddress, sender: usize, payload: &[u8]) -> Vec<u8> {
    [&receiver.0[..], &mac(sender).0, &[0x88, 0xb5], payload].concat()
}

const EVERYONE: MacAddress = MacAddress([0xff; 6]);

impl Lab {
    fn new(hosts: usize) -> Self {
        let mut switch = Switch::new(1);
        let name = |host| HostName::new(format!("host{host}")).unwrap();
        let ports = (0..hosts)
            .map(|host| switch.plug(&name(host), mac(host)).unwrap())
            .collect();
        Self {
            switch,
            ports,
            now: Instant::now(),
            out: Vec::new(),
        }
    }

    fn send(&mut self, host: usize, frame: &[u8]) {
        let mut outlet = Collector(&self.ports, &mut self.out);
        let from = self.ports[host];
        self.switch.receive(self.now, from, frame, &mut outlet);
    }

    fn run_until(&mut self, end: Instant) {
        let mut outlet = Collector(&self.ports, &mut self.out);
        while let Some(due) = self.switch.next_due().filter(|due| *due <= end) {
            self.switch.deliver(due, &mut outlet);
        }
        self.now = end;
    }

    fn receivers(&mut self) -> Vec<usize> {
        self.out.drain(..).map(|(host, _)| host).collect()
    }
}

#[test]
fn a_frame_goes_everywhere_until_its_receiver_has_been_heard() {
    let mut lab = Lab::new(3);
    lab.send(0, &to(mac(1), 0, b"who"));
    assert_eq!(lab.receivers(), [1, 2]);
    lab.send(1, &to(mac(0), 1, b"me"));
    assert_eq!(lab.receivers(), [0]);
    lab.send(0, &to(mac(1), 0, b"you"));
    assert_eq!(lab.receivers(), [1]);
    lab.send(2, &to(EVERYONE, 2, b"all"));
    assert_eq!(lab.receivers(), [0, 1]);
}

#[test]
fn a_host_that_moves_or_goes_is_found_again() {
    let mut lab = Lab::new(3);
    lab.send(1, &to(EVERYONE, 1, b"here"));
    lab.send(2, &to(EVERYONE, 1, b"now here"));
    lab.out.clear();
    lab.send(0, &to(mac(1), 0, b"hello"));
    assert_eq!(lab.receivers(), [2]);
    lab.switch.unplug(lab.ports[2]);
    lab.send(0, &to(mac(1), 0, b"hello"));
    assert_eq!(lab.receivers(), [1]);
    lab.now += Duration::from_secs(1);
    lab.send(2, &to(EVERYONE, 2, b"from nowhere"));
    assert!(lab.receivers().is_empty());
}

#[test]
fn what_is_no_frame_or_for_nobody_else_is_dropped_and_counted() {
    let mut lab = Lab::new(2);
    lab.send(0, &[0; 13]);
    lab.send(0, &vec![0; MAX_FRAME + 1]);
    lab.send(0, &to(EVERYONE, 0, b""));
    lab.out.clear();
    lab.send(0, &to(mac(0), 0, b"myself"));
    lab.send(0, &to(MacAddress([1, 0x80, 0xc2, 0, 0, 0]), 0, b"bridges"));
    assert!(lab.receivers().is_empty());
    let counts = lab.switch.counts(lab.ports[0]).unwrap();
    assert_eq!((counts.malformed, counts.filtered), (2, 2));
}

#[test]
fn latency_is_that_of_both_links_and_keeps_the_order() {
    let mut lab = Lab::new(2);
    let slow = |text: &str| serde_json::from_str(text).unwrap();
    let sender: Conditions = slow(r#"{"from_host":{"latency_us":20000}}"#);
    let receiver: Conditions = slow(r#"{"to_host":{"latency_us":30000,"jitter_us":30000}}"#);
    lab.switch.set(lab.now, lab.ports[0], &sender);
    lab.switch.set(lab.now, lab.ports[1], &receiver);
    let start = lab.now;
    for number in 0..50 {
        lab.send(0, &to(EVERYONE, 0, &[number]));
    }
    assert!(lab.out.is_empty());
    assert_eq!(
        lab.switch.next_due(),
        Some(start + Duration::from_millis(20))
    );
    lab.run_until(start + Duration::from_millis(80));
    let payloads: Vec<u8> = lab.out.iter().map(|(_, frame)| frame[14]).collect();
    assert_eq!(payloads, (0..50).collect::<Vec<u8>>());
    assert_eq!(lab.switch.next_due(), None);
}

#[test]
fn a_pulled_cable_takes_with_it_what_is_on_its_way() {
    let mut lab = Lab::new(2);
    let set = |lab: &mut Lab, text: &str| {
        let conditions: Conditions = serde_json::from_str(text).unwrap();
        lab.switch.set(lab.now, lab.ports[1], &conditions);
    };
    set(&mut lab, r#"{"to_host":{"latency_us":1000}}"#);
    lab.send(0, &to(EVERYONE, 0, b"on its way"));
    set(&mut lab, r#"{"cable":"down"}"#);
    lab.send(0, &to(EVERYONE, 0, b"too late"));
    lab.send(1, &to(EVERYONE, 1, b"cut off"));
    assert_eq!(lab.switch.next_due(), None);
    let counts = lab.switch.counts(lab.ports[1]).unwrap();
    assert_eq!(
        (counts.to_host.cable_down, counts.from_host.cable_down),
        (2, 1)
    );
    set(&mut lab, "{}");
    lab.send(0, &to(EVERYONE, 0, b"back"));
    assert_eq!(lab.receivers(), [1]);
}
