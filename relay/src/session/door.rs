//! Where a connection comes in: its first message says whether it begins a session or resumes one.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use protocol::{ClientMessage, Frame, Hello, Refusal, Resume};
use tokio::net::TcpStream;

use super::inbox::Item;
use super::link::Link;
use super::roster::Arrival;
use super::turn::{self, End, protocol_error};
use super::{Caller, Outbox, Settings};
use crate::listen::Place;

/// The first message.
#[derive(Debug)]
enum First {
    /// A process begins.
    Hello(Hello),
    /// One comes back.
    Resume(Resume),
}

/// Serves a connection until it is closed, or until it has become that of a session which goes on elsewhere. `early` is
/// what was read after the handshake's request.
pub(crate) async fn serve(
    stream: TcpStream,
    early: &[u8],
    caller: Caller,
    settings: Arc<Settings>,
    place: Place,
) {
    let mut link = Link::new(stream, early, place);
    let mut outbox = Outbox::default();
    let patience = settings.limits.hello.min(settings.silence);
    let first = tokio::select! {
        biased;
        first = poll_fn(|context| poll_first(&mut link, &mut outbox, context)) => first,
        () = tokio::time::sleep(patience) => Err(End::Refused(Refusal::NoHello)),
        () = settings.stop.cancelled() => Err(End::Refused(Refusal::Shutdown)),
    };
    let refusal = match first {
        Ok(First::Hello(hello)) => return turn::run(hello, caller, settings, link, outbox).await,
        Ok(First::Resume(resume)) => {
            let (attempt, received) = (resume.attempt, resume.received);
            match settings
                .roster
                .find(caller.lab.clone(), resume.pid, resume.token)
            {
                Ok(listing) => return listing.seat.come(attempt, Arrival { link, received }),
                Err(failure) => {
                    settings.metrics.resume_failed(failure);
                    Refusal::Gone
                }
            }
        }
        Err(End::Refused(refusal)) => refusal,
        Err(_) => return,
    };
    tracing::info!(%refusal, "a process was not let in");
    settings.metrics.refused(&refusal);
    link.refuse(outbox, refusal).await;
}

/// Reads until the first message is there.
fn poll_first(
    link: &mut Link,
    outbox: &mut Outbox,
    context: &mut Context<'_>,
) -> Poll<Result<First, End>> {
    loop {
        let item = match link.inbox.next() {
            Ok(item) => item,
            Err(error) => return Poll::Ready(Err(protocol_error(&error))),
        };
        match item {
            Some(Item::Frame(Frame::Control(ClientMessage::Hello(hello)), _)) => {
                return Poll::Ready(Ok(First::Hello(hello)));
            }
            Some(Item::Frame(Frame::Control(ClientMessage::Resume(resume)), _)) => {
                return Poll::Ready(Ok(First::Resume(resume)));
            }
            Some(Item::Frame(..)) => {
                return Poll::Ready(Err(End::Refused(Refusal::NoHello)));
            }
            Some(Item::Close(_)) => return Poll::Ready(Err(End::Closed)),
            Some(Item::Pong) => continue,
            Some(Item::Ping(payload)) => {
                outbox.pong(payload);
                continue;
            }
            None => {}
        }
        // What is said to the process first must find the way free.
        match link.poll_flush(outbox, context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Err(End::Lost)),
            Poll::Pending => return Poll::Pending,
        }
        match link.poll_fill(context) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(End::Lost)),
            Poll::Ready(Ok(_)) => {}
            Poll::Pending => {
                link.inbox.rest();
                return Poll::Pending;
            }
        }
    }
}
