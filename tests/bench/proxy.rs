//! A bare TCP proxy: the least that anything between two programs costs.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

use crate::role::{say, wait};

/// How much is copied at a time, in bytes.
const COPIED: usize = 64 * 1024;

/// Stands before an address, and before itself: prints the address of each.
pub(crate) fn run(to: SocketAddr) -> Result<()> {
    // The relay's own runtime is of this kind.
    let runtime = Runtime::new()?;
    let once = runtime.block_on(listen(to))?;
    let twice = runtime.block_on(listen(once))?;
    say(&format!("{once} {twice}"))?;
    wait()
}

async fn listen(to: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(carry(near, to));
        }
    });
    Ok(address)
}

async fn carry(mut near: TcpStream, to: SocketAddr) -> Result<()> {
    let mut far = TcpStream::connect(to).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut near, &mut far, COPIED, COPIED).await?;
    Ok(())
}
