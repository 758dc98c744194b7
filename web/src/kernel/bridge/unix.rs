//! What only UNIX sockets have: pairs and paths.

use protocol::event::Call;
use protocol::{Act, Address, Errno, Kind};
use wasm_bindgen::prelude::*;

use super::super::kind::TYPE_FLAGS;
use super::super::process::Step;
use super::sockets::number;
use super::{Kernel, failed};

#[wasm_bindgen]
impl Kernel {
    /// socketpair(2) of UNIX sockets: their two numbers, or one negated error number.
    pub fn pair(&mut self, kind: i32) -> Vec<i32> {
        let kind = match kind & !TYPE_FLAGS {
            1 => Kind::Stream,
            2 => Kind::Datagram,
            _ => return vec![failed(Errno::ESOCKTNOSUPPORT)],
        };
        let pair = self.process.pair(kind);
        for socket in pair {
            self.note(0, Call::Socket, socket.0);
            self.end(Ok(Step::Ready(socket)), |_, socket| number(socket));
        }
        pair.map(number).to_vec()
    }

    /// Lays down a path or an abstract name, and gives its handle.
    #[wasm_bindgen(js_name = layUnix)]
    pub fn lay_unix(&mut self, name: Vec<u8>) -> u32 {
        self.addresses.handle(&Address::Unix(name))
    }

    /// The path or abstract name with this handle.
    #[wasm_bindgen(js_name = unixOf)]
    pub fn unix_of(&self, handle: u32) -> Vec<u8> {
        match self.addresses.get(handle) {
            Some(Address::Unix(name)) => name.clone(),
            Some(Address::Unspecified | Address::Inet { .. } | Address::Inet6 { .. }) | None => {
                Vec::new()
            }
        }
    }

    /// Tells the relay the working directory, which relative paths of UNIX sockets begin at.
    #[wasm_bindgen(js_name = changeDirectory)]
    pub fn change_directory(&mut self, path: Vec<u8>) {
        self.process.change_directory(path);
        self.carry_out();
    }

    /// Looks at the path of a UNIX socket (`act` is 0), unlinks it (1), changes its permission bits (2) or its name (3).
    /// What it was like before is left in `found`: number, permission bits, and when it was made.
    pub fn node(&mut self, token: i32, path: Vec<u8>, act: i32, mode: u16, to: Vec<u8>) -> i32 {
        let attempt = self.attempt(token);
        let act = match act {
            0 => Act::Look,
            1 => Act::Unlink,
            2 => Act::Mode(mode),
            _ => Act::Rename(to),
        };
        let result = self.process.node(attempt, path, act);
        self.end(result, |kernel, node| {
            kernel.found = Some(node);
            0
        })
    }

    /// Finds the UNIX sockets in a directory and leaves their names in `entries`.
    pub fn list(&mut self, token: i32, path: Vec<u8>) -> i32 {
        let attempt = self.attempt(token);
        let result = self.process.list(attempt, path);
        self.end(result, |kernel, names| {
            kernel.entries = names.join(&b'/');
            0
        })
    }

    /// What the last `list` has found, with slashes between.
    pub fn entries(&self) -> Vec<u8> {
        self.entries.clone()
    }

    /// What the last `node` has found.
    #[wasm_bindgen(js_name = foundNode)]
    #[allow(
        clippy::cast_precision_loss,
        reason = "a count of paths and a time in seconds are exact far beyond what they will ever be"
    )]
    pub fn found_node(&self) -> Vec<f64> {
        self.found.map_or_else(Vec::new, |node| {
            vec![node.inode as f64, f64::from(node.mode), node.made as f64]
        })
    }
}
