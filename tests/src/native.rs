//! The machine's own Python, on a loopback of its own.
//!
//! The programs use fixed ports, as the programs of an article do. Each exchange therefore has a network namespace of
//! its own (network_namespaces(7)), so that any number of them run at once; and a mount namespace in which names are
//! looked up in files only, so that an unknown name is unknown at once, whatever network the machine is in.

use std::{
    collections::HashMap,
    env, fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    task::JoinHandle,
};

use crate::{Console, DEADLINE, Exchange, wait::eventually};

/// Brings the loopback up (netdevice(7): `SIOCSIFFLAGS`, `IFF_UP | IFF_LOOPBACK | IFF_RUNNING`), makes names come from
/// files only, which are those of a fresh Debian, lets root's group ping (icmp(7)) if the programs are root's, and keeps
/// the namespaces alive until its input ends.
const KEEPER: &str = "
import fcntl, pathlib, socket, struct, subprocess, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack('16sh', b'lo', 0x49))
switch = pathlib.Path('nsswitch.conf')
switch.write_text('hosts: files\\n')
subprocess.run(['mount', '--bind', switch, '/etc/nsswitch.conf'], check=True)
hosts = pathlib.Path('hosts')
hosts.write_text('127.0.0.1 localhost\\n::1 localhost\\n127.0.1.1 ' + socket.gethostname() + '\\n')
subprocess.run(['mount', '--bind', hosts, '/etc/hosts'], check=True)
if sys.argv[1] == 'root':
    pathlib.Path('/proc/sys/net/ipv4/ping_group_range').write_text('0 0')
if sys.argv[2] == 'ethernet':
    import ethernet
print('ready', flush=True)
sys.stdin.read()
";

/// Where Python may be found, the newest first: the product's is 3.14.
const PYTHONS: [&str; 5] = [
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3",
];

/// Makes a card with the address of a lab's first host and the routes that such a host has, as long as the program runs
/// (netdevice(7), rtnetlink(7); `struct rtentry` in the kernel's `route.h`).
const ETHERNET: &str = "
import ctypes, fcntl, socket, struct
tap = open('/dev/net/tun', 'r+b', buffering=0)
fcntl.ioctl(tap, 0x400454CA, struct.pack('16sh', b'eth0', 0x1002))
def address(ip):
    return struct.pack('=HH4s8x', socket.AF_INET, 0, socket.inet_aton(ip))
name = ctypes.create_string_buffer(b'eth0')
with socket.socket() as any_socket:
    def ask(request, value):
        fcntl.ioctl(any_socket, request, value)
    for request, ip in [(0x8916, '10.0.0.1'), (0x891C, '255.255.255.0'), (0x891A, '10.0.0.255')]:
        ask(request, struct.pack('16s16s8x', b'eth0', address(ip)))
    ask(0x8914, struct.pack('16sh', b'eth0', 0x1043))
    for ip, mask, flags in [('224.0.0.0', '240.0.0.0', 1), ('255.255.255.255', '255.255.255.255', 5)]:
        parts = (0, address(ip), address('0.0.0.0'), address(mask), flags, 0, 0, 0, 0)
        ask(0x890B, struct.pack('@L16s16s16sHhLPhxxxxxxPLLH', *parts, ctypes.addressof(name), 0, 0, 0))
";

/// What programs may do on their loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Everything.
    Root,
    /// What an ordinary user may (capabilities(7)).
    Ordinary,
}

/// Which cards their machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cards {
    /// Only the loopback.
    Loopback,
    /// An Ethernet card too, with nobody at the other end.
    Ethernet,
}

/// The files of an exchange, ready to be run by the machine's own Python.
#[derive(Debug)]
pub struct Native {
    directory: PathBuf,
    python: String,
    rights: Rights,
    keeper: Child,
    running: Mutex<HashMap<String, Running>>,
}

/// A program that runs or has run.
#[derive(Debug)]
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Stream,
    stderr: Stream,
}

/// What a program has written to one of its streams so far.
#[derive(Debug)]
struct Stream {
    text: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
}

impl Stream {
    fn read(mut from: impl tokio::io::AsyncRead + Unpin + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let to = Arc::clone(&text);
        let reading = tokio::spawn(async move {
            let mut bytes = Vec::new();
            while from
                .read_buf(&mut bytes)
                .await
                .is_ok_and(|count| count != 0)
            {
                *lock(&to) = String::from_utf8_lossy(&bytes).into_owned();
            }
        });
        Self { text, reading }
    }

    fn text(&self) -> String {
        lock(&self.text).clone()
    }
}

impl Native {
    /// Writes the files and opens the namespaces.
    pub async fn prepare(exchange: &Exchange, rights: Rights, cards: Cards) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let directory = env::temp_dir().join(format!(
            "socketpad-{}-{}-{}",
            exchange.name(),
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir_all(&directory).unwrap();
        for (file, text) in exchange.files() {
            fs::write(directory.join(file), text).unwrap();
        }
        fs::write(directory.join("ethernet.py"), ETHERNET).unwrap();
        let python = python().await;
        let mut keeper = Command::new("unshare")
            .args(["--map-root-user", "--net", "--mount", "--"])
            .args([&python, "-c", KEEPER])
            .arg(match rights {
                Rights::Root => "root",
                Rights::Ordinary => "ordinary",
            })
            .arg(match cards {
                Cards::Loopback => "loopback",
                Cards::Ethernet => "ethernet",
            })
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("unshare(1) is needed to run programs natively");
        let stdout = keeper.stdout.take().unwrap();
        let ready = BufReader::new(stdout).lines().next_line().await.unwrap();
        assert_eq!(
            ready.as_deref(),
            Some("ready"),
            "no network namespace can be made: the machine must allow unprivileged user namespaces"
        );
        Self {
            directory,
            python,
            rights,
            keeper,
            running: Mutex::default(),
        }
    }

    /// Starts a process.
    pub fn run(&self, process: &str) {
        let keeper = self.keeper.id().expect("the namespaces are alive");
        let mut child = Command::new("nsenter")
            .args(["--user", "--preserve-credentials", "--net", "--mount"])
            .arg(format!("--target={keeper}"))
            .arg(format!("--wd={}", self.directory.display()))
            // Whoever starts the tests in the background ignores SIGINT, and Python would inherit that.
            .args(["--", "env", "--default-signal=INT"])
            .args(match self.rights {
                Rights::Root => &[][..],
                Rights::Ordinary => &["setpriv", "--bounding-set=-all"],
            })
            .args([&self.python, "-u", &format!("{process}.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("nsenter(1) is needed to run programs natively");
        let running = Running {
            stdin: child.stdin.take(),
            stdout: Stream::read(child.stdout.take().unwrap()),
            stderr: Stream::read(child.stderr.take().unwrap()),
            child,
        };
        lock(&self.running).insert(process.to_owned(), running);
    }

    /// Sends Ctrl-C.
    pub fn stop(&self, process: &str) {
        let pid = self.with(process, |running| running.child.id());
        if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            kill_process(pid, Signal::INT).unwrap();
        }
    }

    /// Types a line.
    pub async fn input(&self, process: &str, line: &str) {
        let stdin = self.with(process, |running| running.stdin.take());
        let mut stdin = stdin.expect("an open standard input");
        stdin
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
        stdin.flush().await.unwrap();
        self.with(process, |running| running.stdin = Some(stdin));
    }

    /// Ends the input.
    pub fn end_input(&self, process: &str) {
        self.with(process, |running| running.stdin = None);
    }

    /// What a process has written to standard output so far.
    pub fn stdout(&self, process: &str) -> String {
        self.with(process, |running| running.stdout.text())
    }

    /// Whether the main thread of a process sleeps in a system call.
    pub fn waits(&self, process: &str) -> bool {
        self.stat(process).first().is_some_and(|state| state == "S")
    }

    /// How long a process has computed, in the kernel's ticks.
    pub fn ticks(&self, process: &str) -> u64 {
        let stat = self.stat(process);
        stat.get(11).map_or(0, |ticks| ticks.parse().unwrap())
    }

    /// The fields of proc_pid_stat(5), from the state on, which is its third.
    fn stat(&self, process: &str) -> Vec<String> {
        let pid = self.with(process, |running| running.child.id());
        let stat = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).ok());
        let stat = stat.unwrap_or_default();
        // The name before the state may hold anything.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        fields.split_whitespace().map(str::to_owned).collect()
    }

    /// Waits until a process has ended.
    pub async fn ended(&self, process: &str) -> Console {
        let ended = eventually(DEADLINE, async || {
            self.with(process, |running| {
                let status = running.child.try_wait().unwrap()?;
                // The pipes may still hold what the process wrote last.
                let read =
                    running.stdout.reading.is_finished() && running.stderr.reading.is_finished();
                read.then(|| Console {
                    process: process.to_owned(),
                    stdout: running.stdout.text(),
                    stderr: running.stderr.text(),
                    status: status
                        .code()
                        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
                })
            })
        });
        match ended.await {
            Ok(console) => console,
            Err(_) => panic!(
                "native {process} did not end; it printed\n{}{}",
                self.stdout(process),
                self.with(process, |running| running.stderr.text())
            ),
        }
    }

    fn with<T>(&self, process: &str, action: impl FnOnce(&mut Running) -> T) -> T {
        let mut running = lock(&self.running);
        let running = running.get_mut(process);
        action(running.unwrap_or_else(|| panic!("{process} was not started")))
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.directory));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The newest Python of the machine, or the one that `SOCKETPAD_PYTHON` names.
pub async fn python() -> String {
    let named = env::var("SOCKETPAD_PYTHON").ok();
    let names: Vec<&str> = match &named {
        Some(name) => vec![name],
        None => PYTHONS.to_vec(),
    };
    for name in names {
        if let Some(path) = executable(Path::new(name)).await {
            return path;
        }
    }
    panic!("Python 3.11 or newer is needed to compare with; name one in SOCKETPAD_PYTHON");
}

/// Where this Python really is, if it is one and new enough.
async fn executable(name: &Path) -> Option<String> {
    let code = "import sys; print(sys.executable if (3, 11) <= sys.version_info else '')";
    let output = Command::new(name).args(["-c", code]).output().await.ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    let path = path.trim();
    (output.status.success() && !path.is_empty()).then(|| path.to_owned())
}
