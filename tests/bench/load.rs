//! The near end, which takes the time, and the far end, which does what it is asked for.
//!
//! A request is a letter and a number of eight bytes, little-endian: `e` for that many bytes of messages that come back
//! one by one, `u` for that many bytes up, which one byte answers, `d` for that many bytes down.
//! `server.py`, `client.py` and `bare.js` do the same.

use std::time::Instant;

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use crate::{
    figures::{quantile, speed},
    pipe::Pipe,
};

/// The size of a message that comes back, in bytes.
pub(crate) const MESSAGE: usize = 64;

/// How much is written at a time, in bytes.
pub(crate) const WRITE: usize = 64 * 1024;

/// How much to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// How many messages go to and fro, none to leave that out.
    pub(crate) echoes: u64,
    /// How many bytes go each way, none to leave that out.
    pub(crate) bytes: u64,
}

/// What one exchange has shown.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Sample {
    /// The median time of a message to and fro, in microseconds.
    pub(crate) p50: Option<f64>,
    /// The time that one in a hundred takes longer than, in microseconds.
    pub(crate) p99: Option<f64>,
    /// The median of means over sixteen messages, in microseconds, where the clock is coarse.
    pub(crate) batch: Option<f64>,
    /// Many bytes to the far end, in MB/s.
    pub(crate) up: Option<f64>,
    /// Many bytes from the far end, in MB/s.
    pub(crate) down: Option<f64>,
}

/// The near end of one exchange.
pub(crate) fn measure(pipe: &mut impl Pipe, work: Workload) -> Result<Sample> {
    let mut sample = Sample::default();
    if 0 < work.echoes {
        let times = echo(pipe, work.echoes)?;
        sample.p50 = quantile(&times, 0.5);
        sample.p99 = quantile(&times, 0.99);
    }
    if 0 < work.bytes {
        let begin = Instant::now();
        ask(pipe, b'u', work.bytes)?;
        put(pipe, work.bytes)?;
        pipe.skip(1)?;
        sample.up = Some(speed(work.bytes, begin.elapsed().as_secs_f64()));
        let begin = Instant::now();
        ask(pipe, b'd', work.bytes)?;
        pipe.skip(work.bytes)?;
        sample.down = Some(speed(work.bytes, begin.elapsed().as_secs_f64()));
    }
    Ok(sample)
}

fn echo(pipe: &mut impl Pipe, echoes: u64) -> Result<Vec<f64>> {
    let warm = echoes / 10;
    ask(pipe, b'e', (warm + echoes) * MESSAGE as u64)?;
    let mut times = Vec::with_capacity(usize::try_from(echoes)?);
    let mut message = [0; MESSAGE];
    for round in 0..warm + echoes {
        let begin = Instant::now();
        pipe.send(&message)?;
        ensure!(pipe.receive(&mut message)?, "the far end has gone");
        if warm <= round {
            times.push(begin.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok(times)
}

fn ask(pipe: &mut impl Pipe, kind: u8, count: u64) -> Result<()> {
    let mut request = [kind; 9];
    request[1..].copy_from_slice(&count.to_le_bytes());
    pipe.send(&request)
}

fn put(pipe: &mut impl Pipe, bytes: u64) -> Result<()> {
    for _ in 0..bytes / WRITE as u64 {
        pipe.put(WRITE)?;
    }
    Ok(())
}

/// The far end, until the near end has gone.
pub(crate) fn serve(pipe: &mut impl Pipe) -> Result<()> {
    let mut request = [0; 9];
    while pipe.receive(&mut request)? {
        let [kind, count @ ..] = request;
        let count = u64::from_le_bytes(count);
        match kind {
            b'e' => {
                let mut message = [0; MESSAGE];
                for _ in 0..count / MESSAGE as u64 {
                    ensure!(pipe.receive(&mut message)?, "the near end has gone");
                    pipe.send(&message)?;
                }
            }
            b'u' => {
                pipe.skip(count)?;
                pipe.send(b"!")?;
            }
            b'd' => put(pipe, count)?,
            other => bail!("nobody knows what {other} asks for"),
        }
    }
    Ok(())
}
