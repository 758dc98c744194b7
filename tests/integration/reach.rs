//! However an address is written, it leads to the own lab or nowhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use protocol::{Address, Domain, Kind};
use tests::{Client, TestRelay};

/// A listener and a datagram socket of the relay's machine, on all its addresses, at one port.
struct Machine {
    listener: std::net::TcpListener,
    receiver: std::net::UdpSocket,
    port: u16,
}

impl Machine {
    fn on(ip: IpAddr) -> Self {
        let listener = std::net::TcpListener::bind(SocketAddr::new(ip, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = std::net::UdpSocket::bind(SocketAddr::new(ip, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        receiver.set_nonblocking(true).unwrap();
        Self {
            listener,
            receiver,
            port,
        }
    }

    /// Fails if anybody has come.
    fn assert_untouched(&self) {
        let came = self.listener.accept();
        assert!(came.is_err(), "a connection arrived: {came:?}");
        let heard = self.receiver.recv_from(&mut [0; 64]);
        assert!(heard.is_err(), "a datagram arrived: {heard:?}");
    }
}

/// An IPv4 address with 96 bits of something before it.
fn embedded(prefix: [u16; 6], ip: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = ip.octets();
    let [p0, p1, p2, p3, p4, p5] = prefix;
    let pair = |high, low| u16::from_be_bytes([high, low]);
    Ipv6Addr::new(p0, p1, p2, p3, p4, p5, pair(a, b), pair(c, d))
}

/// Every way to write an IPv4 address, as an IPv6 address too.
fn forms(ip: Ipv4Addr, port: u16) -> Vec<Address> {
    let [a, b, c, d] = ip.octets();
    let pair = |high, low| u16::from_be_bytes([high, low]);
    let mapped = embedded([0, 0, 0, 0, 0, 0xffff], ip);
    let compatible = embedded([0; 6], ip);
    let nat64 = embedded([0x64, 0xff9b, 0, 0, 0, 0], ip);
    let local_nat64 = embedded([0x64, 0xff9b, 1, 0, 0, 0], ip);
    let six_to_four = Ipv6Addr::new(0x2002, pair(a, b), pair(c, d), 0, 0, 0, 0, 1);
    let teredo = Ipv6Addr::new(
        0x2001,
        0,
        pair(a, b),
        pair(c, d),
        0,
        0,
        !pair(a, b),
        !pair(c, d),
    );
    let isatap = embedded([0xfe80, 0, 0, 0, 0, 0x5efe], ip);
    let six = [
        mapped,
        compatible,
        nat64,
        local_nat64,
        six_to_four,
        teredo,
        isatap,
        Ipv6Addr::UNSPECIFIED,
        Ipv6Addr::LOCALHOST,
    ];
    let six = six.into_iter().flat_map(|ip| {
        [0, 1].map(|scope| Address::Inet6 {
            ip,
            port,
            flow: 0,
            scope,
        })
    });
    six.chain([Address::Inet { ip, port }]).collect()
}

async fn knock(client: &mut Client, domain: Domain, address: &Address) {
    let stream = client.socket(domain, Kind::Stream);
    let connected = client.connect(stream, address.clone()).await;
    assert!(connected.is_err(), "{domain:?} reached {address:?}");
    client.close(stream);
    // Once as the destination of a single datagram, and once as that of a connected socket.
    let datagram = client.socket(domain, Kind::Datagram);
    client
        .send_to(datagram, address, b"to whom it concerns")
        .await;
    drop(client.connect(datagram, address.clone()).await);
    client
        .send_to(datagram, &Address::Unspecified, b"to whom it concerns")
        .await;
    client.close(datagram);
    client.sync().await;
}

#[tokio::test]
async fn no_form_of_an_address_leads_to_the_machine_or_to_another_lab() {
    let relay = TestRelay::start().await;
    let machines = [
        Machine::on(Ipv4Addr::UNSPECIFIED.into()),
        Machine::on(Ipv4Addr::LOCALHOST.into()),
    ];
    let mut victim = Client::join(&relay, &relay.lab()).await;
    let listener = victim.listener(8888).await;
    let receiver = victim.receiver(8888).await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    let outside = machine_address();
    let mut targets = vec![
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::new(127, 1, 2, 3),
        Ipv4Addr::new(10, 0, 0, 1),
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(127, 255, 255, 255),
        Ipv4Addr::new(169, 254, 169, 254),
        Ipv4Addr::new(224, 0, 0, 1),
    ];
    targets.extend(outside);
    let ports = [
        machines[0].port,
        machines[1].port,
        relay.address().port(),
        8888,
    ];
    for port in ports {
        for ip in &targets {
            for address in forms(*ip, port) {
                knock(&mut client, Domain::Inet, &address).await;
                knock(&mut client, Domain::Inet6, &address).await;
            }
        }
    }
    for machine in &machines {
        machine.assert_untouched();
    }
    victim.sync().await;
    assert_eq!(victim.times_acceptable(listener), 0);
    assert_eq!(victim.unread_datagrams(receiver), 0);
}

/// An address of the machine that is not of its loopback, if it has one. Nothing is sent to find it.
fn machine_address() -> Option<Ipv4Addr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}

#[tokio::test]
async fn a_connected_datagram_socket_is_checked_at_every_datagram() {
    let relay = TestRelay::start().await;
    let machine = Machine::on(Ipv4Addr::UNSPECIFIED.into());
    let mut client = Client::join(&relay, &relay.lab()).await;
    let receiver = client.receiver(8888).await;
    let sender = client.udp();
    client.connect(sender, tests::local(8888)).await.unwrap();
    let foreign = Address::Inet {
        ip: Ipv4Addr::LOCALHOST,
        port: machine.port,
    };
    client.send_to(sender, &foreign, b"elsewhere").await;
    client.send_to(sender, &Address::Unspecified, b"home").await;
    let (_, payload) = client.recv_from(receiver).await;
    assert_eq!(payload, b"home");
    machine.assert_untouched();
}
