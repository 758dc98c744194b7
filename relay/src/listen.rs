//! Accepts browsers' connections and speaks HTTP on them.

mod reserve;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::reserve::Reserve;

/// How long to wait before accepting again when the system is short of something, descriptors mostly.
const BACKOFF: Duration = Duration::from_millis(100);

/// How much the kernel takes to be sent later, in bytes. More would only wait there, before what is more urgent.
const UNSENT: u32 = 128 * 1024;

/// The most a request's head may take, in bytes. A connection that waits for a request holds a buffer of this size.
const HEAD_BUFFER: usize = 16 * 1024;

/// Serves connections until `stop`, then lets requests that are under way finish. A client may take `patience` to send a
/// request's head.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Arc<Semaphore>,
    patience: Duration,
    stop: CancellationToken,
) {
    // Dropping the set ends what is left of it, so that no connection outlives the relay.
    let mut serving = JoinSet::new();
    let mut reserve = Reserve::default();
    loop {
        reserve.fill();
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = serving.join_next() => continue,
            Ok(accepted) = accept(&listener, &connections) => accepted,
            else => break,
        };
        let accepted = match accepted {
            Err(error) if reserve::is_exhausted(&error) => {
                tracing::warn!(%error, "there are no descriptors left");
                reserve.accept(&listener).await
            }
            other => other.map(Some),
        };
        match accepted.and_then(|it| it.map(prepare).transpose()) {
            Ok(Some((stream, peer))) => {
                let place = Place {
                    peer,
                    _permit: Arc::new(permit),
                };
                let (router, stop) = (router.clone(), stop.clone());
                serving.spawn(speak(stream, router, place, patience, stop));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(BACKOFF).await;
            }
        }
    }
    drop(listener);
    while serving.join_next().await.is_some() {}
}

/// The place of one connection among those that are allowed. It travels with the connection into its session.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The other end of the connection: a client, or a proxy.
    pub(crate) peer: IpAddr,
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Waits for a place and then for a connection. Fails only when the relay has no places any more.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Result<(OwnedSemaphorePermit, io::Result<(TcpStream, SocketAddr)>), AcquireError> {
    let permit = Arc::clone(connections).acquire_owned().await?;
    Ok((permit, listener.accept().await))
}

fn prepare((stream, peer): (TcpStream, SocketAddr)) -> io::Result<(TcpStream, IpAddr)> {
    // Replies are written whole, so waiting for more to send would only delay them.
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT)?;
    Ok((stream, peer.ip()))
}

async fn speak(
    stream: TcpStream,
    router: Router,
    place: Place,
    patience: Duration,
    stop: CancellationToken,
) {
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(place.clone());
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD_BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection failed");
    }
}
