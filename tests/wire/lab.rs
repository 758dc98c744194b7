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
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use protocol::HostName;
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
    let mut cables: Vec<(u8, OwnedFd, UnixStream)> =
        children.iter().map(|_| cable(&listener)).collect();
    cables.sort_by_key(|(number, _, _)| *number);
    fs::remove_file(&path).unwrap();
    let (cables, links): (Vec<OwnedFd>, Vec<UnixStream>) = cables
        .into_iter()
        .map(|(_, cable, link)| (cable, link))
        .unzip();
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
    let carrying = carry(cables, conditions, capture.clone(), Arc::clone(&wanted));
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
    let python = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(tests::python());
    Command::new("unshare")
        .args([
            "--map-root-user",
            "--net",
            "--",
            &python,
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

/// Takes the cable that a host gives away.
fn cable(listener: &UnixListener) -> (u8, OwnedFd, UnixStream) {
    let (link, _) = listener.accept().unwrap();
    let mut number = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(
        &link,
        &mut [IoSliceMut::new(&mut number)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )
    .unwrap();
    let mut cables = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    (
        number[0],
        cables.next().expect("a host gives its cable away"),
        link,
    )
}

/// Carries frames until it is not wanted any more.
fn carry(
    cables: Vec<OwnedFd>,
    conditions: [Conditions; 2],
    capture: Capture,
    wanted: Arc<AtomicBool>,
) -> JoinHandle<Vec<PortCounts>> {
    std::thread::spawn(move || {
        let mut switch = Switch::new(1);
        switch.record(capture);
        let mut ports = Vec::new();
        for (number, (name, conditions)) in (1..).zip(NAMES.iter().zip(&conditions)) {
            let mac = MacAddress([2, 0, 0, 0, 0, number]);
            let port = switch.plug(&HostName::new(*name).unwrap(), mac).unwrap();
            switch.set(Instant::now(), port, conditions);
            ports.push(port);
        }
        let mut outlet = |to: PortId, frame: &[u8]| {
            let place = ports.iter().position(|port| *port == to).unwrap();
            match rustix::io::write(&cables[place], frame) {
                Ok(_) => Handover::Taken,
                Err(_) => Handover::Refused,
            }
        };
        let mut buffer = vec![0; 2048];
        while wanted.load(Ordering::Relaxed) {
            let now = Instant::now();
            let pause = switch
                .next_due()
                .map_or(GLANCE, |due| due.saturating_duration_since(now).min(GLANCE));
            let pause = Timespec::try_from(pause).unwrap();
            let mut waiting: Vec<PollFd<'_>> = cables
                .iter()
                .map(|cable| PollFd::new(cable, PollFlags::IN))
                .collect();
            poll(&mut waiting, Some(&pause)).unwrap();
            switch.deliver(Instant::now(), &mut outlet);
            for (cable, port) in cables.iter().zip(&ports) {
                // A share each, so that what is due is not late for a busy host.
                for _ in 0..64 {
                    let Ok(length) = rustix::io::read(cable, &mut buffer[..]) else {
                        break;
                    };
                    switch.receive(Instant::now(), *port, &buffer[..length], &mut outlet);
                }
            }
        }
        ports
            .iter()
            .map(|port| switch.counts(*port).unwrap())
            .collect()
    })
}

/// One condition for what a host sends.
pub(super) fn sends(condition: &str, seed: NonZeroU32) -> String {
    format!(r#"{{"seed":{seed},"from_host":{{{condition}}}}}"#)
}
