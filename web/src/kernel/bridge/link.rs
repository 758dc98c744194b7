//! The connection to the relay, and the next one when it is lost.
//!
//! The glue opens WebSockets and closes them; here it is known what is said on them first, what was received, and when a
//! connection that looks open is none any more.

use js_sys::{ArrayBuffer, Uint8Array};
use protocol::frame;
use protocol::{
    ClientMessage, DecodeError, Hello, HostName, ProcessName, Progress, Resume, ServerMessage,
    Session,
};
use wasm_bindgen::prelude::*;

use super::super::tape::WrongCount;
use super::Kernel;

/// What is known of the connection and its session.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// How the session can be resumed, if it can.
    session: Option<Session>,
    /// What was received.
    pub(super) progress: Progress,
    /// How often it was tried to resume it.
    attempts: u32,
    /// When something was received last, on the page's clock.
    heard: f64,
}

/// Why what the relay sent cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LinkError {
    /// A frame is broken.
    #[error(transparent)]
    Frame(#[from] DecodeError),
    /// A count is.
    #[error(transparent)]
    Count(#[from] WrongCount),
}

#[wasm_bindgen]
impl Kernel {
    /// The first message to the relay, as its bytes.
    ///
    /// # Errors
    ///
    /// A sentence, if a name is none.
    pub fn hello(&self, host: String, process: String) -> Result<Vec<u8>, JsError> {
        Ok(bytes(&ClientMessage::Hello(Hello {
            minor: protocol::MINOR_VERSION,
            host: HostName::new(host)?,
            process: ProcessName::new(process)?,
        })))
    }

    /// The first message on a further connection, as its bytes; none if the session cannot be resumed.
    pub fn resumption(&mut self) -> Option<Vec<u8>> {
        let (welcome, session) = (self.process.welcome.as_ref()?, self.link.session.as_ref()?);
        self.link.attempts += 1;
        Some(bytes(&ClientMessage::Resume(Resume {
            pid: welcome.pid,
            token: session.token,
            attempt: self.link.attempts,
            received: self.link.progress.received(),
        })))
    }

    /// Takes a WebSocket message.
    pub fn receive(&mut self, message: &ArrayBuffer) {
        self.link.heard = self.glue.now();
        if let Err(error) = self.take(&Uint8Array::new(message)) {
            self.process.lose(format!("protocol error: {error}"));
        }
        if self.link.progress.is_due() {
            self.acknowledge();
        }
        if let Some(report) = self.reporter.watch(self.process.watch) {
            self.post(&ClientMessage::Report(report));
            self.flush();
        }
        self.carry_out();
    }

    /// Whether the relay takes what is sent: the process was welcomed, or is back.
    #[wasm_bindgen(js_name = isLinked)]
    pub fn is_linked(&self) -> bool {
        self.outbox.is_open()
    }

    /// The connection is lost. Returns for how many milliseconds another one may be tried: zero if it is no use.
    pub fn cut(&mut self) -> f64 {
        self.outbox.shut();
        match (&self.process.welcome, &self.link.session) {
            // The relay may take as long to notice, and only then begins to count.
            (Some(welcome), Some(session)) if self.process.lost.is_none() => {
                let seconds = welcome
                    .limits
                    .silence_seconds
                    .saturating_add(session.grace_seconds);
                1000.0 * f64::from(seconds)
            }
            _ => 0.0,
        }
    }

    /// To be called every second: acknowledges what was received, and says whether the connection has been silent for so
    /// long that it is none.
    pub fn tick(&mut self) -> bool {
        if !self.outbox.is_open() || self.link.session.is_none() {
            return false;
        }
        if self.link.progress.is_owed() {
            self.acknowledge();
        }
        let limits = self.process.welcome.as_ref().map(|welcome| &welcome.limits);
        let silence = limits.map_or(u32::MAX, |limits| limits.silence_seconds);
        1000.0 * f64::from(silence) < self.glue.now() - self.link.heard
    }

    /// The relay is gone for good.
    pub fn lose(&mut self, reason: String) {
        self.outbox.shut();
        self.process.lose(reason);
        self.carry_out();
    }
}

impl Kernel {
    /// Takes a control message whose frame is so long.
    pub(super) fn hear(&mut self, message: ServerMessage, length: usize) -> Result<(), LinkError> {
        if message.is_counted() {
            self.link.progress.take(length);
        }
        match message {
            ServerMessage::Session(session) => {
                self.outbox.keep();
                self.link.session = Some(session);
            }
            ServerMessage::Resumed { received } => {
                self.outbox.resume(received)?;
                self.link.progress.acknowledge();
                self.flush();
            }
            ServerMessage::Ack { received } => self.outbox.acknowledge(received)?,
            ServerMessage::Welcome(_) => {
                self.outbox.open();
                self.process.receive(message);
            }
            ServerMessage::Refused(_)
            | ServerMessage::Done { .. }
            | ServerMessage::Acceptable { .. }
            | ServerMessage::Finished { .. }
            | ServerMessage::Failed { .. }
            | ServerMessage::Credit { .. }
            | ServerMessage::Watch(_)
            | ServerMessage::HungUp { .. } => self.process.receive(message),
        }
        Ok(())
    }

    /// Tells the relay what was received.
    fn acknowledge(&mut self) {
        if self.outbox.is_open() && self.link.session.is_some() {
            let received = self.link.progress.acknowledge();
            let ack = bytes(&ClientMessage::Ack { received });
            self.glue.send(&Uint8Array::from(&ack[..]));
        }
    }
}

/// A message alone in its frame.
fn bytes(message: &ClientMessage) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::encode_message(message, &mut bytes);
    bytes
}
