//! A relay that can be killed, as SIGKILL kills a program: its connections end, and nobody is told why.

use std::{net::SocketAddr, thread};

use relay::{Options, Relay};
use tokio::runtime::Runtime;

use crate::DEADLINE;

/// A relay in a runtime of its own.
#[derive(Debug)]
pub struct MortalRelay {
    options: Options,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl MortalRelay {
    /// Starts it on a free port.
    pub fn start(options: Options) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut relay = Self {
            options: Options { listen, ..options },
            address: listen,
            runtime: None,
        };
        relay.rise();
        relay
    }

    /// Where it listens, each time again.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it. Its address is free again after that.
    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Whatever runs is dropped where it waits, with what it holds. A task must not wait for that, a thread may.
            let end = thread::spawn(move || runtime.shutdown_timeout(DEADLINE));
            drop(end.join());
        }
    }

    /// Starts it again where it was.
    pub fn rise(&mut self) {
        let runtime = Runtime::new().unwrap();
        let options = Options {
            listen: self.address,
            ..self.options.clone()
        };
        let relay = Relay::bind(options).unwrap();
        self.address = relay.local_addr();
        runtime.spawn(async move {
            let serving = relay.serve(std::future::pending());
            serving.await.expect("the relay serves");
        });
        self.runtime = Some(runtime);
    }
}

impl Drop for MortalRelay {
    fn drop(&mut self) {
        self.kill();
    }
}
