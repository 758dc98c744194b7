//! What a client remembers so that it can resume its session on another connection.

use std::net::SocketAddr;
use std::time::Duration;

use protocol::frame::{HEADER, Header};
use protocol::limits::{MAX_MESSAGE, MAX_PAYLOAD};
use protocol::{
    ClientMessage, DecodeError, Frame, Frames, LabId, Progress, Refusal, Resume, ServerMessage,
    Session, Token, frame,
};

use tokio::time::{Instant, interval};

use super::Client;
use crate::{DEADLINE, Detour, Dial};

/// How often it is tried to connect.
const EVERY: Duration = Duration::from_millis(10);

/// What the client does when its connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// It ends.
    End,
    /// It resumes its session as soon as the relay can be reached.
    ComeBack,
}

/// Whether the client acknowledges what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manners {
    /// As it should.
    Good,
    /// Never.
    Bad,
}

/// What was sent and received.
#[derive(Debug)]
pub(super) struct Memory {
    dial: Dial,
    session: Option<Session>,
    habit: Habit,
    manners: Manners,
    /// What was sent and not acknowledged, which begins at `base`.
    kept: Vec<u8>,
    base: u64,
    progress: Progress,
    attempts: u32,
}

impl Memory {
    /// A session that begins over this connection, with the frame after the welcome.
    pub(super) fn new(
        dial: Dial,
        second: Option<Result<Frame<'_, ServerMessage>, DecodeError>>,
    ) -> Self {
        let session = match second {
            Some(Ok(Frame::Control(ServerMessage::Session(session)))) => Some(session),
            Some(other) => panic!("after the welcome came {other:?}"),
            None => None,
        };
        Self {
            dial,
            session,
            habit: Habit::End,
            manners: Manners::Good,
            kept: Vec::new(),
            base: 0,
            progress: Progress::default(),
            attempts: 0,
        }
    }

    /// Keeps what is sent.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        if self.session.is_some() {
            self.kept.extend_from_slice(bytes);
        }
    }

    /// Forgets what has arrived.
    pub(super) fn forget(&mut self, received: u64) {
        if let Some(done) = received.checked_sub(self.base) {
            let done = usize::try_from(done).unwrap();
            assert!(done <= self.kept.len(), "the relay acknowledges too much");
            self.kept.drain(..done);
            self.base = received;
        }
    }

    /// Counts the frames of a message that was received.
    pub(super) fn count(&mut self, message: &[u8]) {
        let mut bytes = message.len();
        for found in Frames::<ServerMessage>::new(message) {
            if let Ok(Frame::Control(control)) = found
                && !control.is_counted()
            {
                let mut frame = Vec::new();
                frame::encode_message(&control, &mut frame);
                bytes -= frame.len();
            }
        }
        self.progress.take(bytes);
    }
}

/// Cuts frames into WebSocket messages.
fn messages(frames: &[u8]) -> Vec<&[u8]> {
    let (mut messages, mut start, mut end) = (Vec::new(), 0, 0);
    while let Some(header) = frames[end..].first_chunk::<HEADER>() {
        end += HEADER + Header::decode(*header).expect("a frame of its own").length;
        if MAX_MESSAGE - MAX_PAYLOAD - HEADER < end - start || end == frames.len() {
            messages.push(&frames[start..end]);
            start = end;
        }
    }
    messages
}

impl Client {
    /// Starts a process on the host `desk` of this lab over this way to the relay. When it loses its connection it comes
    /// back.
    pub async fn join_by(detour: &Detour, lab: &LabId) -> Self {
        let mut client = Self::begin(Dial::at(detour.address(), lab), "desk", "program")
            .await
            .unwrap();
        client.memory.habit = Habit::ComeBack;
        client
    }

    /// What the relay said of how to resume.
    pub fn session(&self) -> Option<&Session> {
        self.memory.session.as_ref()
    }

    /// Acknowledges nothing from now on.
    pub fn never_acknowledge(&mut self) {
        self.memory.manners = Manners::Bad;
    }

    /// From now on it resumes at this address.
    pub fn move_to(&mut self, address: SocketAddr, lab: &LabId) {
        self.memory.dial = Dial::at(address, lab);
    }

    /// Loses the connection, without a close frame.
    pub fn cut(&mut self) {
        self.memory.habit = Habit::End;
        self.closed = true;
        // Nothing can be heard on what takes its place.
        if let Some(wire) = self.wire.take() {
            wire.cut();
        }
    }

    /// Closes the WebSocket as one that is left for another.
    pub fn leave(&mut self) {
        self.memory.habit = Habit::End;
        self.closed = true;
        if let Some(wire) = self.wire.take() {
            wire.leave();
        }
    }

    /// The message that resumes the session, with this token instead of its own if one is given.
    pub fn resumption(&self, token: Option<Token>) -> ClientMessage {
        let session = self.memory.session.as_ref().expect("a session");
        ClientMessage::Resume(Resume {
            pid: self.welcome.pid,
            token: token.unwrap_or(session.token),
            attempt: self.memory.attempts + 1,
            received: self.memory.progress.received(),
        })
    }

    /// Resumes the session on another connection, whether the last one is lost or not.
    ///
    /// # Errors
    ///
    /// The relay's refusal.
    pub async fn resume(&mut self) -> Result<(), Refusal> {
        let begin = Instant::now();
        let mut tries = interval(EVERY);
        while begin.elapsed() < DEADLINE {
            tries.tick().await;
            if let Some(result) = self.try_resume().await {
                return result;
            }
        }
        panic!("the relay cannot be reached")
    }

    /// One try; none if the relay could not be reached, or not for long enough.
    async fn try_resume(&mut self) -> Option<Result<(), Refusal>> {
        let mut wire = self.memory.dial.reach().await?;
        wire.send_message(&self.resumption(None));
        self.memory.attempts += 1;
        let first = wire.next().await?;
        match Frames::<ServerMessage>::new(&first).next() {
            Some(Ok(Frame::Control(ServerMessage::Resumed { received }))) => {
                self.memory.forget(received);
                self.memory.progress.acknowledge();
                for message in messages(&self.memory.kept) {
                    wire.send(message.to_vec());
                }
                if let Some(last) = self.wire.replace(wire) {
                    last.cut();
                }
                self.closed = false;
                Some(Ok(()))
            }
            Some(Ok(Frame::Control(ServerMessage::Refused(refusal)))) => Some(Err(refusal)),
            other => panic!("the relay answered with {other:?}"),
        }
    }

    /// The connection is lost.
    pub(super) async fn lost(&mut self) {
        self.closed = true;
        if self.memory.habit == Habit::ComeBack && self.refused.is_none() {
            self.refused = self.resume().await.err();
        }
    }

    /// Acknowledges what was received, when it is time.
    pub(super) fn acknowledge(&mut self) {
        let memory = &mut self.memory;
        if memory.session.is_some() && memory.manners == Manners::Good && memory.progress.is_due() {
            let received = memory.progress.acknowledge();
            if let Some(wire) = &self.wire {
                wire.send_message(&ClientMessage::Ack { received });
            }
        }
    }
}
