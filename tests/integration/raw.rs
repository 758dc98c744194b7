//! Raw sockets and those of ICMP where hosts are no networks: what Linux says to an ordinary user.

use protocol::{Domain, Errno, Kind};
use tests::Client;

use crate::relay;

#[tokio::test]
async fn they_are_refused_as_an_ordinary_user_is() {
    let relay = relay().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    for domain in [Domain::Inet, Domain::Inet6] {
        for protocol in [1, 6, 17, 58, 255] {
            let raw = client.socket(domain, Kind::Raw { protocol });
            assert_eq!(client.names(raw).await, Err(Errno::EPERM));
            client.close(raw);
        }
        let ping = client.socket(domain, Kind::Ping);
        assert_eq!(client.names(ping).await, Err(Errno::EACCES));
        client.close(ping);
    }
    let nothing = client.socket(Domain::Inet, Kind::Raw { protocol: 0 });
    assert_eq!(client.names(nothing).await, Err(Errno::EPROTONOSUPPORT));
    // The process goes on.
    client.receiver(8888).await;
}
