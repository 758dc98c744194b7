//! Counts what a browser is sent.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// For how long nothing must be sent for a page to count as loaded.
const QUIET: Duration = Duration::from_secs(1);

/// Stands between a browser and a relay.
#[derive(Debug)]
pub(crate) struct Meter {
    /// Where it can be reached.
    pub(crate) address: SocketAddr,
    bytes: Arc<AtomicU64>,
}

impl Meter {
    /// Stands before this relay.
    pub(crate) async fn start(relay: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let meter = Self {
            address: listener.local_addr()?,
            bytes: Arc::default(),
        };
        let bytes = Arc::clone(&meter.bytes);
        tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                tokio::spawn(carry(browser, relay, Arc::clone(&bytes)));
            }
        });
        Ok(meter)
    }

    /// How many bytes the browser was sent so far, headers of HTTP and WebSockets included.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until nothing is sent any more, and says how much it was.
    pub(crate) async fn quiet(&self) -> u64 {
        loop {
            let before = self.bytes();
            sleep(QUIET).await;
            if self.bytes() == before {
                return before;
            }
        }
    }
}

async fn carry(browser: TcpStream, relay: SocketAddr, bytes: Arc<AtomicU64>) -> Result<()> {
    let relay = TcpStream::connect(relay).await?;
    browser.set_nodelay(true)?;
    relay.set_nodelay(true)?;
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_relay, mut to_relay) = relay.into_split();
    let up = async move {
        copy(&mut from_browser, &mut to_relay).await?;
        to_relay.shutdown().await
    };
    let down = async move {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from_relay.read(&mut buffer).await?;
            if length == 0 {
                return to_browser.shutdown().await;
            }
            bytes.fetch_add(length as u64, Ordering::Relaxed);
            to_browser.write_all(&buffer[..length]).await?;
        }
    };
    tokio::try_join!(up, down)?;
    Ok(())
}
