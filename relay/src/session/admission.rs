//! How a process is let into its lab.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use protocol::event::{Event, Watch};
use protocol::{
    Hello, Limits, MINOR_MESSAGE, MINOR_RESUME, MINOR_VERSION, Refusal, ServerMessage, Session,
    Token, Welcome,
};

use super::roster::{Listing, Seat};
use super::table::Questions;
use super::turn::{Process, whole_seconds};
use super::{Caller, Outbox, Ready, Settings, Sockets};
use crate::lab::JoinError;

/// The minor version from which on processes know urgent bytes.
const URGENT: u16 = 1;

/// The minor version from which on processes report their calls, and know refusals that came later.
const REPORTS: u16 = 1;

/// Lets a process in, and welcomes it. Also says how long it may take to come back, if it can.
pub(super) async fn admit(
    hello: Hello,
    caller: &Caller,
    settings: &Settings,
    ready: &Arc<Ready>,
    outbox: &mut Outbox,
) -> Result<(Process, Option<Duration>), Refusal> {
    let membership = settings
        .labs
        .join(&caller.lab, &hello.host, caller.client)
        .await
        .map_err(refusal)?;
    let pid = membership.pid();
    let welcome = Welcome {
        minor: MINOR_VERSION,
        pid,
        addresses: membership.host().addresses(),
        limits: Limits {
            sockets: u32::try_from(settings.sockets).unwrap_or(u32::MAX),
            silence_seconds: whole_seconds(settings.silence),
        },
    };
    let mut greeting = vec![ServerMessage::Welcome(welcome)];
    let can_resume = MINOR_RESUME <= hello.minor && !settings.grace.is_zero();
    let token = can_resume.then(draw_token).flatten();
    if let Some(token) = token {
        greeting.push(ServerMessage::Session(Session {
            token,
            grace_seconds: whole_seconds(settings.grace),
        }));
        outbox.retain();
    }
    outbox.greet(&greeting);
    if URGENT <= hello.minor {
        outbox.tell_urgent();
    }
    if MINOR_MESSAGE <= hello.minor {
        outbox.tell_controls();
    }
    let hub = &membership.commons().events;
    if hub.is_watched() {
        hub.push(Event::Started {
            pid,
            host: hello.host.clone(),
            name: hello.process.clone(),
        });
    }
    let metrics = settings.metrics.clone();
    let listing = Arc::new(Listing {
        pid,
        minor: hello.minor,
        host: hello.host,
        name: hello.process,
        begun_at: SystemTime::now(),
        questions: Questions::new(ready),
        ending: caller.ending.clone(),
        seat: Seat::new(token),
    });
    let counted = metrics.count_process();
    let sockets = Sockets::new(membership, metrics, settings.sockets, Arc::clone(ready));
    outbox.tell(sockets.tap());
    let process = Process {
        entry: settings.roster.enter(caller.lab.clone(), listing),
        _counted: counted,
        sockets,
        watch: Watch::Off,
    };
    Ok((process, token.map(|_| settings.grace)))
}

/// Draws what a process can resume its session with. Without random bits it cannot.
fn draw_token() -> Option<Token> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Some(Token(bytes)),
        Err(error) => {
            tracing::error!(%error, "there are no random bits, so no connection can be resumed");
            None
        }
    }
}

/// Does what somebody outside has asked of a process: tells its sockets, and has it report while it is watched.
pub(super) fn look_up(process: &mut Process, outbox: &mut Outbox) {
    let listing = &process.entry.listing;
    listing.questions.answer(&process.sockets);
    let watch = if process.sockets.tap().is_open() {
        Watch::On
    } else {
        Watch::Off
    };
    if watch != process.watch {
        process.watch = watch;
        if REPORTS <= listing.minor {
            outbox.message(&ServerMessage::Watch(watch));
        }
    }
}

fn refusal(error: JoinError) -> Refusal {
    match error {
        JoinError::Labs
        | JoinError::Client
        | JoinError::Hosts
        | JoinError::Processes
        | JoinError::Viewers
        | JoinError::Ending
        | JoinError::Network => Refusal::Full(error.to_string()),
    }
}

/// A refusal in words that a peer of this minor version knows.
pub(super) fn spoken(refusal: Refusal, minor: u16) -> Refusal {
    match refusal {
        Refusal::Idle(_) | Refusal::Expired(_) | Refusal::Revoked if minor < REPORTS => {
            Refusal::Full(refusal.to_string())
        }
        refusal => refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_peer_is_told_the_same_in_words_it_knows() {
        let sentence = Refusal::Revoked.to_string();
        assert_eq!(spoken(Refusal::Revoked, 0), Refusal::Full(sentence));
        assert_eq!(spoken(Refusal::Revoked, 1), Refusal::Revoked);
        assert_eq!(spoken(Refusal::NoHello, 0), Refusal::NoHello);
    }
}
