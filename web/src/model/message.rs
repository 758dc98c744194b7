//! What the page and the worker of a process say to each other, as types.
//!
//! The worker speaks structured-clone messages; `platform` turns them into these and back, so that everything that
//! decides anything can be tested without a browser.

/// What the boot of a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootStep {
    /// Python is coming over the network.
    Download,
    /// The browser is compiling Python.
    Compile,
    /// Python is starting.
    Start,
    /// The started Python is being remembered for later processes.
    Snapshot,
}

impl BootStep {
    /// The step that the worker calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "download" => Some(Self::Download),
            "compile" => Some(Self::Compile),
            "start" => Some(Self::Start),
            "snapshot" => Some(Self::Snapshot),
            _ => None,
        }
    }
}

/// Which of the two outputs a program wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// `sys.stdout`.
    Stdout,
    /// `sys.stderr`, where tracebacks go.
    Stderr,
}

/// What a worker tells the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The boot has reached this step.
    Progress(BootStep),
    /// The interpreter is ready.
    Booted,
    /// The compiled module and the snapshot are here; `platform` keeps them for later workers.
    EngineKept,
    /// The program's first line is about to run.
    Started,
    /// The program printed something.
    Output {
        /// Where it was printed.
        stream: Stream,
        /// What was printed; it need not end with its line.
        text: String,
    },
    /// The main thread waits in a call.
    Waiting {
        /// The call's name, as in `accept`.
        call: String,
    },
    /// The main thread goes on.
    Running,
    /// A listening socket, or a bound datagram socket, exists.
    Ready {
        /// Its address, as in `127.0.0.1:8888`.
        address: String,
    },
    /// The program has ended.
    Exit {
        /// The exit status that a shell would show.
        status: i32,
    },
    /// The connection to the relay is lost, and the process waits for another one.
    Paused,
    /// There is one.
    Resumed,
    /// There was none in time.
    Lost,
    /// The process could not be started, or was ended by the relay.
    Failed {
        /// Why, in a sentence.
        reason: String,
    },
    /// The worker's script did not come; the browser says so, or nobody does.
    Unloaded,
    /// The worker itself broke down; the browser says so, not the worker.
    Crashed {
        /// What the browser knows about it.
        detail: String,
    },
}

/// Where a worker finds its interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineSource {
    /// It looks for itself: in the browser's cache, then on the network.
    Own,
    /// The page hands over what an earlier worker of this visit prepared.
    Handed,
}

/// A program to run: everything a worker needs except the relay's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The name of the process.
    pub process: String,
    /// The host that it runs on.
    pub host: String,
    /// The file to run.
    pub file: String,
    /// Every file of the exchange, by name: a program may import its neighbours.
    pub files: Vec<(String, String)>,
    /// The arguments after the file's name.
    pub args: Vec<String>,
}

/// What the page tells a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Load the interpreter.
    Boot(EngineSource),
    /// Run this, as soon as the interpreter is there.
    Start(Program),
    /// Text for standard input.
    Input(String),
    /// The end of standard input.
    Eof,
    /// Ctrl-C.
    Interrupt,
}
