//! The program itself, as an operator runs it: signals, and a system that has no descriptors left.

use std::io;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use protocol::{CallId, ClientMessage, Errno, Kind, Refusal, Reply, ServerMessage, SocketId};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::client::{Heard, LAB, Process, at, local};

/// How long anything may take. It is far more than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program `socketpad`, which is killed when this is dropped.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    async fn start(listen: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_socketpad"));
        command.args(["--listen", listen]);
        Self::spawn(command).await
    }

    /// Starts it where it may have only this many descriptors.
    async fn with_descriptors(count: u32) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n \"$1\"; exec \"$0\" --listen 127.0.0.1:0"]);
        shell.args([env!("CARGO_BIN_EXE_socketpad"), &count.to_string()]);
        Self::spawn(shell).await
    }

    async fn spawn(command: Command) -> Self {
        Self::logging(command, "error").await
    }

    /// Starts it with this filter of what it logs.
    async fn logging(mut command: Command, filter: &str) -> Self {
        command.args(["--log", filter, "--network", "portable"]);
        let mut child = command
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).await.unwrap();
        let (_, address) = line.trim_end().split_once("http://").unwrap();
        Self {
            child,
            address: address.parse().unwrap(),
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        ended.unwrap().unwrap()
    }

    async fn process(&self) -> Process {
        Process::start_at(self.address, LAB, "desk").await
    }
}

/// What was heard last before the connection was closed.
async fn last_words(process: &mut Process) -> Option<Heard> {
    let mut last = None;
    loop {
        match process.hear().await {
            Heard::Closed => return last,
            heard => last = Some(heard),
        }
    }
}

/// A listener and a connection to it, and the socket that it gave.
async fn connected(server: &mut Process, client: &mut Process) -> u16 {
    let port = server.serve(1, "127.0.0.1").await;
    client.make(1, Kind::Stream).await;
    client.dial(1, at("127.0.0.1", port)).await.unwrap();
    server.accept(1, 2).await.unwrap();
    port
}

#[tokio::test]
async fn a_signal_under_load_gives_every_process_a_reason_and_ends_the_program() {
    let mut program = Program::start("127.0.0.1:0").await;
    let mut pairs = Vec::new();
    for _ in 0..8 {
        let (mut server, mut client) = (program.process().await, program.process().await);
        connected(&mut server, &mut client).await;
        // As much as may be sent at once is on its way in each direction, and nobody reads it.
        client.write(1, &[1; 65_536]).await;
        client.write(1, &[2; 65_536]).await;
        server.write(2, &[3; 65_536]).await;
        server.write(2, &[4; 65_536]).await;
        pairs.push((server, client));
    }
    program.signal(Signal::TERM);
    let refused = Heard::Message(ServerMessage::Refused(Refusal::Shutdown));
    for (server, client) in &mut pairs {
        assert_eq!(last_words(server).await, Some(refused.clone()));
        assert_eq!(last_words(client).await, Some(refused.clone()));
    }
    assert!(program.ended().await.success());
}

#[tokio::test]
async fn who_does_not_listen_does_not_keep_the_program() {
    let mut program = Program::start("127.0.0.1:0").await;
    // None of them reads what it is told, and one has not even said what it wants.
    let (mut server, mut client) = (program.process().await, program.process().await);
    connected(&mut server, &mut client).await;
    let mut halted = TcpStream::connect(program.address).await.unwrap();
    halted.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    program.signal(Signal::TERM);
    assert!(program.ended().await.success());
}

#[tokio::test]
async fn a_relay_that_was_killed_can_be_started_again_on_its_port() {
    let mut program = Program::start("127.0.0.1:0").await;
    let (mut server, mut client) = (program.process().await, program.process().await);
    let port = connected(&mut server, &mut client).await;
    client.write(1, b"never mind").await;
    program.signal(Signal::KILL);
    assert!(!program.ended().await.success());
    // Nobody could tell them why, but they hear that it is over.
    last_words(&mut server).await;
    last_words(&mut client).await;

    let again = Program::start(&program.address.to_string()).await;
    assert_eq!(again.address, program.address);
    let mut server = again.process().await;
    server.make(1, Kind::Stream).await;
    // The programs' own port is free as well.
    server.bind(1, at("127.0.0.1", port)).await.unwrap();
    server.listen(1).await.unwrap();
    let mut client = again.process().await;
    client.make(1, Kind::Stream).await;
    client.dial(1, at("127.0.0.1", port)).await.unwrap();
}

#[tokio::test]
async fn a_program_is_told_that_there_are_no_descriptors_left() {
    const LIMIT: u32 = 64;
    let program = Program::with_descriptors(LIMIT).await;
    let (mut server, mut client) = (program.process().await, program.process().await);
    let port = connected(&mut server, &mut client).await;
    // A connection that waits to be accepted.
    client.make(2, Kind::Stream).await;
    client.dial(2, at("127.0.0.1", port)).await.unwrap();
    let mut made = 2;
    let errno = loop {
        made += 1;
        assert!(made < LIMIT, "more sockets than descriptors");
        client.make(made, Kind::Datagram).await;
        match client.bind(made, at("127.0.0.1", 0)).await {
            Ok(_) => {}
            Err(errno) => break errno,
        }
    };
    assert_eq!(errno, Errno::EMFILE);

    // What is there works: data, names, and calls that need no descriptor.
    client.write(1, b"still here").await;
    let heard = loop {
        match server.hear().await {
            Heard::Message(ServerMessage::Acceptable { .. }) => {}
            other => break other,
        }
    };
    assert_eq!(heard, Heard::Stream(SocketId(2), b"still here".to_vec()));
    assert_eq!(server.accept(1, 3).await, Err(Errno::EMFILE));
    // Somebody new is told so at once, and not left waiting.
    let refused = refusal(program.address).await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.ends_with("\r\n\r\nthe relay has no descriptors left, try again later\n"));

    // With descriptors given back everything goes on.
    for socket in 3..=made {
        let socket = SocketId(socket);
        client.tell(ClientMessage::Close { socket }).await;
    }
    client
        .call(|call| ClientMessage::Sync { call })
        .await
        .unwrap();
    client.make(made + 1, Kind::Stream).await;
    client.dial(made + 1, at("127.0.0.1", port)).await.unwrap();
    // The connection that had to wait was not lost.
    server.accept(1, 3).await.unwrap();
    server.accept(1, 4).await.unwrap();
    let mut newcomer = program.process().await;
    newcomer.serve(1, "127.0.0.1").await;
}

/// What somebody is answered who asks for the health.
async fn refusal(relay: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(relay).await?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {relay}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A process that holds every descriptor of the relay ends, and its sockets with it.
#[tokio::test]
async fn a_process_that_took_every_descriptor_gives_them_back_when_it_ends() {
    let program = Program::with_descriptors(64).await;
    let mut greedy = program.process().await;
    let mut socket = 0;
    loop {
        socket += 1;
        greedy.make(socket, Kind::Datagram).await;
        let bound = greedy.bind(socket, at("127.0.0.1", 0)).await;
        if bound == Err(Errno::EMFILE) {
            break;
        }
        let Reply::Names { .. } = bound.unwrap() else {
            panic!("bind gives names")
        };
    }
    greedy.tell(ClientMessage::Goodbye).await;
    while greedy.hear().await != Heard::Closed {}
    let mut other = program.process().await;
    let names = {
        other.make(1, Kind::Datagram).await;
        other.bind(1, at("127.0.0.1", 0)).await.unwrap()
    };
    assert_ne!(local(&names).inet().unwrap().port(), 0);
    let _ = CallId(0);
}

/// Every line about a process says which one it is, and of which host and lab; the lab's id, which lets anybody in who
/// knows it, is not told whole, and nothing that was sent or received is told at all.
#[tokio::test]
async fn the_log_names_lab_host_and_process_and_tells_no_payload() {
    const SECRET: &str = "nobody is to read this in a log";
    let lab = "0123456789abcdefghijklmnop";
    let mut command = Command::new(env!("CARGO_BIN_EXE_socketpad"));
    command.args(["--listen", "127.0.0.1:0"]);
    command.stderr(Stdio::piped());
    let mut program = Program::logging(command, "trace").await;
    let mut stderr = program.child.stderr.take().unwrap();
    let log = tokio::spawn(async move {
        let mut text = String::new();
        stderr.read_to_string(&mut text).await.unwrap();
        text
    });
    let mut server = Process::start_at(program.address, lab, "desk").await;
    let mut client = Process::start_at(program.address, lab, "bob").await;
    let port = server.serve(1, "0.0.0.0").await;
    client.make(1, Kind::Stream).await;
    client.dial(1, at("10.0.0.1", port)).await.unwrap();
    server.accept(1, 2).await.unwrap();
    client.write(1, SECRET.as_bytes()).await;
    let stream = Heard::Stream(SocketId(2), SECRET.as_bytes().to_vec());
    while server.hear().await != stream {}
    // A frame of a kind that there is not.
    client.send(vec![9; 8]).await;
    let refused = last_words(&mut client).await;
    assert!(matches!(
        refused,
        Some(Heard::Message(ServerMessage::Refused(Refusal::Protocol(_))))
    ));
    program.signal(Signal::TERM);
    last_words(&mut server).await;
    program.ended().await;

    let log = log.await.unwrap();
    assert!(!log.contains(SECRET) && !log.contains(lab), "{log}");
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains(" relay::session"))
        .collect();
    // Each began and was ended.
    let mut named = 0;
    for (host, pid) in [("desk", 1000), ("bob", 1001)] {
        let whose = format!(" connection{{lab=\"012345\"}}:process{{host={host} pid={pid}}}: ");
        let of = lines.iter().filter(|line| line.contains(&whose)).count();
        assert!(2 <= of, "{log}");
        named += of;
    }
    assert_eq!(named, lines.len(), "{log}");
    let broken = lines
        .iter()
        .filter(|line| line.contains("refusal=protocol error"));
    assert_eq!(broken.count(), 1, "{log}");
}
