//! A lab: hosts that are network namespaces, whose cards lead to the relay's switch.
//!
//! The switch is driven here as directly as it can be, by one thread that waits for frames and for what is due.

use std::fs;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::num::NonZeroU32;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use protocol::HostName;
use relay::capture::record::{Device, Direction, Interface};
use relay::capture::{Anchor, Capture, Limits, Snapshot};
use relay::switch::conditions::Conditions;
use relay::switch::counts::PortCounts;
use relay::switch::{Handover, MacAddress, PortId, Switch};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

/// What a host is made with.
const HOST: &str = include_str!("host.py");

/// How long the thread waits at most before it looks whether it is still wanted.
const GLANCE: Duration = Duration::from_millis(20);

/// The hosts' names; their numbers begin with 1.
pub(super) const NAMES: [&str; 2] = ["alice", "bob"];

/// What a lab leaves behind.
#[derive(Debug)]
pub(super) struct Remains {
    /// What each program printed.
    pub(super) printed: Vec<String>,
    /// What happened at each port.
    pub(super) counts: Vec<PortCounts>,
    /// What went over the network.
    pub(super) snapshot: Snapshot,
}

/// Runs a program on alice and one on bob, whose links have the given conditions, until both have ended.
pub(super) fn run(conditions: [&str; 2], programs: [&str; 2]) -> Remains {
    let conditions = conditions.map(|text| serde_json::from_str(text).unwrap());
    let path = socket_path();
    let listener = UnixListener::bind(&path).unwrap();
    let children: Vec<Child> = (1..)
        .zip(programs)
        .map(|(number, program)| start(number, &path, program))
        .collect();
    let mut hosts: Vec<Host> = children.iter().map(|_| accept(&listener)).collect();
    hosts.sort_by_key(|host| host.number);
    fs::remove_file(&path).unwrap();
    let links: Vec<UnixStream> = hosts
        .iter()
        .map(|host| host.link.try_clone().unwrap())
        .collect();
    let capture = Capture::new(
        Anchor {
            instant: Instant::now(),
            wall: SystemTime::now(),
        },
        Limits {
            bytes: 64 << 20,
            entries: 1 << 20,
            ..Limits::default()
        },
    );
    let wanted = Arc::new(AtomicBool::new(true));
    let carrying = carry(hosts, conditions, capture.clone(), Arc::clone(&wanted));
    for mut link in &links {
        std::io::Write::write_all(&mut link, b"g").unwrap();
    }
    let printed = children.into_iter().map(output).collect();
    wanted.store(false, Ordering::Relaxed);
    let counts = carrying.join().unwrap();
    Remains {
        printed,
        counts,
        snapshot: capture.snapshot(),
    }
}

fn socket_path() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("socketpad-wire-{}-{number}", std::process::id()))
}

fn start(number: u8, path: &std::path::Path, program: &str) -> Child {
    // Looking for it takes a while where versions are managed by scripts.
    static PYTHON: OnceLock<String> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime
            .enable_all()
            .build()
            .unwrap()
            .block_on(tests::python())
    });
    Command::new("unshare")
        .args([
            "--map-root-user",
            "--net",
            "--",
            python,
            "-c",
            HOST,
            &number.to_string(),
        ])
        .args([path.as_os_str(), program.as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare(1) is needed to make hosts")
}

fn output(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "a program failed");
    String::from_utf8(output.stdout).unwrap()
}

/// What a host gives away.
#[derive(Debug)]
struct Host {
    number: u8,
    cable: OwnedFd,
    /// A packet socket, where everything comes out that goes over the loopback.
    loopback: OwnedFd,
    link: UnixStream,
}

fn accept(listener: &UnixListener) -> Host {
    let patience = Timespec::try_from(tests::DEADLINE).unwrap();
    let mut waiting = [PollFd::new(listener, PollFlags::IN)];
    let called = poll(&mut waiting, Some(&patience)).unwrap();
    assert_eq!(called, 1, "every host gives its cable away");
    let (link, _) = listener.accept().unwrap();
    let mut number = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut number)];
    recvmsg(&link, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC).unwrap();
    let mut given = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
        _ => Vec::new(),
    });
    Host {
        number: number[0],
        cable: given.next().unwrap(),
        loopback: given.next().unwrap(),
        link,
    }
}

/// Carries frames until it is not wanted any more.
fn carry(
    hosts: Vec<Host>,
    conditions: [Conditions; 2],
    capture: Capture,
    wanted: Arc<AtomicBool>,
) -> JoinHandle<Vec<PortCounts>> {
    std::thread::spawn(move || {
        let mut switch = Switch::new(1);
        switch.record(capture.clone());
        let names = NAMES.map(|name| HostName::new(name).unwrap());
        let mut ports = Vec::new();
        for ((host, name), conditions) in hosts.iter().zip(&names).zip(&conditions) {
            let mac = MacAddress([2, 0, 0, 0, 0, host.number]);
            let port = switch.plug(name, mac).unwrap();
            switch.set(Instant::now(), port, conditions);
            ports.push(port);
        }
        let loopbacks = names.map(|host| {
            Arc::new(Interface {
                host,
                device: Device::Loopback,
            })
        });
        let mut outlet = |to: PortId, frame: &[u8]| {
            let place = ports.iter().position(|port| *port == to).unwrap();
            match rustix::io::write(&hosts[place].cable, frame) {
                Ok(_) => Handover::Taken,
                Err(_) => Handover::Refused,
            }
        };
        let mut buffer = vec![0; 1 << 17];
        let mut again = true;
        while again {
            // What is there when the programs have ended is still taken.
            again = wanted.load(Ordering::Relaxed);
            let now = Instant::now();
            let pause = switch
                .next_due()
                .map_or(GLANCE, |due| due.saturating_duration_since(now).min(GLANCE));
            let pause = Timespec::try_from(pause).unwrap();
            let mut waiting: Vec<PollFd<'_>> = hosts
                .iter()
                .flat_map(|host| [&host.cable, &host.loopback])
                .map(|descriptor| PollFd::new(descriptor, PollFlags::IN))
                .collect();
            poll(&mut waiting, Some(&pause)).unwrap();
            switch.deliver(Instant::now(), &mut outlet);
            for ((host, port), loopback) in hosts.iter().zip(&ports).zip(&loopbacks) {
                share(&host.cable, &mut buffer, |frame| {
                    switch.receive(Instant::now(), *port, frame, &mut outlet);
                });
                share(&host.loopback, &mut buffer, |frame| {
                    capture.frame(Instant::now(), loopback, Direction::In, frame);
                });
            }
        }
        ports
            .iter()
            .map(|port| switch.counts(*port).unwrap())
            .collect()
    })
}

/// Takes some frames, so that what is due elsewhere is not late for a busy host.
fn share(from: &OwnedFd, buffer: &mut [u8], mut take: impl FnMut(&[u8])) {
    for _ in 0..64 {
        let Ok(length) = rustix::io::read(from, &mut *buffer) else {
            return;
        };
        take(&buffer[..length]);
    }
}

/// One condition for what a host sends.
pub(super) fn sends(condition: &str, seed: NonZeroU32) -> String {
    format!(r#"{{"seed":{seed},"from_host":{{{condition}}}}}"#)
}
