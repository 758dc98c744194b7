//! Generates the shim between the interpreter and the kernel; `src/kernel/shim.rs` takes it in.

#[path = "build/shim.rs"]
mod shim;

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    let out = PathBuf::from(out);
    fs::write(out.join("shim.wasm"), shim::module())?;
    let source = format!(
        "/// What a try of a system call returns that would block.\n\
         pub(crate) const BLOCKED: i32 = {};\n\
         /// The module.\n\
         pub(crate) const MODULE: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/shim.wasm\"));\n",
        shim::BLOCKED
    );
    fs::write(out.join("shim.rs"), source)
}
