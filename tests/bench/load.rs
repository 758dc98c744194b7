//! The near end, which takes the time, and the far end, which does what it is asked for.
//!
//! A request is a letter and a number of eight bytes, little-endian: `e` for that many bytes of messages that come back
//! one by one, `u` for that many bytes up, which one byte answers, `d` for that many bytes down.
//! `server.py`, `client.py` and `bare.js` do the same.
//! Only this one also knows `c` for that many bytes that come back as they came, and `h` for a peer that holds the
//! connection for that many seconds and reads nothing.

use std::{
    thread,
    time::{Duration, Instant},
};

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
    /// The time that one in a thousand takes longer than, in microseconds.
    pub(crate) p999: Option<f64>,
    /// Many bytes to the far end, in MB/s.
    pub(crate) up: Option<f64>,
    /// Many bytes from the far end, in MB/s.
    pub(crate) down: Option<f64>,
    /// The processor time between the ends for a gigabyte to the far end, in seconds.
    pub(crate) cost_up: Option<f64>,
    /// The same from the far end.
    pub(crate) cost_down: Option<f64>,
}

/// The processor time so far of whatever stands between the ends, in seconds.
pub(crate) type Clock<'a> = &'a dyn Fn() -> Result<f64>;

/// The clock of ways on which nothing does.
pub(crate) fn nothing() -> Result<f64> {
    Ok(0.0)
}

/// The near end of one exchange.
pub(crate) fn measure(pipe: &mut impl Pipe, work: Workload, clock: Clock<'_>) -> Result<Sample> {
    let mut sample = Sample::default();
    if 0 < work.echoes {
        let times = echo(pipe, work.echoes)?;
        sample.p50 = quantile(&times, 0.5);
        sample.p99 = quantile(&times, 0.99);
        sample.p999 = quantile(&times, 0.999);
    }
    if 0 < work.bytes {
        let taken = time(clock, || {
            ask(pipe, b'u', work.bytes)?;
            put(pipe, work.bytes)?;
            pipe.skip(1)
        })?;
        (sample.up, sample.cost_up) = taken.of(work.bytes);
        let taken = time(clock, || {
            ask(pipe, b'd', work.bytes)?;
            pipe.skip(work.bytes)
        })?;
        (sample.down, sample.cost_down) = taken.of(work.bytes);
    }
    Ok(sample)
}

/// What something took, in seconds.
#[derive(Clone, Copy, Debug)]
struct Taken {
    time: f64,
    processor: f64,
}

impl Taken {
    /// The speed in MB/s, and the processor time for a gigabyte if anything stood between the ends.
    fn of(self, bytes: u64) -> (Option<f64>, Option<f64>) {
        let speed = speed(bytes, self.time);
        let gigabytes = speed * self.time / 1000.0;
        let cost = (0.0 < self.processor).then(|| self.processor / gigabytes);
        (Some(speed), cost)
    }
}

fn time(clock: Clock<'_>, deed: impl FnOnce() -> Result<()>) -> Result<Taken> {
    let (begin, before) = (Instant::now(), clock()?);
    deed()?;
    Ok(Taken {
        time: begin.elapsed().as_secs_f64(),
        processor: clock()? - before,
    })
}

/// The first message over a new connection, to and fro.
pub(crate) fn first_echo(pipe: &mut impl Pipe) -> Result<()> {
    let mut message = [0; 9 + MESSAGE];
    message[0] = b'e';
    message[1..9].copy_from_slice(&(MESSAGE as u64).to_le_bytes());
    pipe.send(&message)?;
    ensure!(
        pipe.receive(&mut message[..MESSAGE])?,
        "the far end has gone"
    );
    Ok(())
}

/// Sends this many bytes that the far end says again, as many at a time as may be on the way, and says how many came
/// back as they were.
pub(crate) fn compare(pipe: &mut impl Pipe, bytes: u64) -> Result<u64> {
    let (mut out, mut back) = (Pattern::default(), Pattern::default());
    let (mut chunk, mut echo) = ([0; CHUNK], [0; CHUNK]);
    let chunks = bytes / CHUNK as u64;
    ask(pipe, b'c', chunks * CHUNK as u64)?;
    let (mut sent, mut same) = (0, 0);
    for received in 0..chunks {
        while sent < chunks && sent < received + IN_FLIGHT {
            out.fill(&mut chunk);
            pipe.send(&chunk)?;
            sent += 1;
        }
        if !pipe.receive(&mut echo)? {
            break;
        }
        back.fill(&mut chunk);
        let pairs = chunk.iter().zip(&echo);
        same += pairs.filter(|(expected, found)| expected == found).count() as u64;
    }
    Ok(same)
}

/// How much is compared at a time, in bytes.
const CHUNK: usize = 16 * 1024;

/// How many chunks are on their way at a time: as many as everybody's windows and the kernel's buffers have room for.
const IN_FLIGHT: u64 = 32;

/// Bytes that show when one of them is lost, repeated or moved (xorshift64; Marsaglia, 2003).
#[derive(Debug)]
struct Pattern(u64);

impl Default for Pattern {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Pattern {
    fn fill(&mut self, bytes: &mut [u8]) {
        for eight in bytes.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            eight.copy_from_slice(&self.0.to_le_bytes()[..eight.len()]);
        }
    }
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

/// Asks the far end for something.
pub(crate) fn ask(pipe: &mut impl Pipe, kind: u8, count: u64) -> Result<()> {
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
            b'c' => {
                let mut chunk = [0; CHUNK];
                for _ in 0..count / CHUNK as u64 {
                    ensure!(pipe.receive(&mut chunk)?, "the near end has gone");
                    pipe.send(&chunk)?;
                }
            }
            b'h' => thread::sleep(Duration::from_secs(count)),
            other => bail!("nobody knows what {other} asks for"),
        }
    }
    Ok(())
}
