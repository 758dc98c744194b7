//! How a process begins, and who may not.

use protocol::{
    ClientMessage, Hello, HostName, MINOR_VERSION, ProcessName, Refusal, ServerMessage,
};
use relay::Options;
use tests::{Client, Dial, TestRelay};

fn hello() -> ClientMessage {
    ClientMessage::Hello(Hello {
        minor: MINOR_VERSION,
        host: HostName::new("desk").unwrap(),
        process: ProcessName::new("server").unwrap(),
    })
}

#[tokio::test]
async fn a_process_is_welcomed_with_what_it_may_use() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    let one = Client::join(&relay, &lab).await;
    let other = Client::join(&relay, &lab).await;
    let welcome = one.welcome();
    assert_eq!(welcome.minor, MINOR_VERSION);
    assert_eq!(welcome.limits.sockets as usize, Options::default().sockets);
    assert_eq!(
        u64::from(welcome.limits.silence_seconds),
        Options::default().silence.as_secs()
    );
    assert_ne!(welcome.pid, other.welcome().pid);
    assert_eq!(welcome.addresses, other.welcome().addresses);
    assert_eq!(welcome.addresses.len(), 2);
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    for origin in ["http://elsewhere.example", "null", "https://127.0.0.1"] {
        let dial = Dial {
            origin: Some(origin.to_owned()),
            ..Dial::to(&relay, &lab)
        };
        assert_eq!(dial.open().await.unwrap_err(), 403, "{origin}");
    }
    assert_eq!(relay.metrics().processes(), 0.0);
}

#[tokio::test]
async fn an_operator_may_allow_an_origin() {
    let school = "https://school.example".to_owned();
    let relay = TestRelay::with(Options {
        origins: vec![school.clone()],
        ..Options::default()
    })
    .await;
    let dial = Dial {
        origin: Some(school),
        ..Dial::to(&relay, &relay.lab())
    };
    assert!(dial.open().await.is_ok());
}

#[tokio::test]
async fn another_subprotocol_is_refused() {
    let relay = TestRelay::start().await;
    let lab = relay.lab();
    for subprotocol in [None, Some("socketpad.v2".to_owned())] {
        let dial = Dial {
            subprotocol,
            ..Dial::to(&relay, &lab)
        };
        assert_eq!(dial.open().await.unwrap_err(), 400, "{dial:?}");
    }
}

#[tokio::test]
async fn a_lab_id_that_could_be_guessed_is_refused() {
    let relay = TestRelay::start().await;
    for lab in ["short", "UPPERCASEUPPERCASE", "with-a-dash-in-it-xx"] {
        let dial = Dial {
            url: format!("ws://{}/labs/{lab}/process", relay.address()),
            ..Dial::to(&relay, &relay.lab())
        };
        let status = dial.open().await.unwrap_err();
        assert!((400..500).contains(&status), "{lab}: {status}");
    }
}

#[tokio::test]
async fn the_hello_comes_first() {
    let relay = TestRelay::start().await;
    let mut wire = Dial::to(&relay, &relay.lab()).open().await.unwrap();
    wire.send_message(&ClientMessage::Goodbye);
    assert_eq!(
        wire.messages_to_the_end().await,
        [ServerMessage::Refused(Refusal::NoHello)]
    );
    assert_eq!(relay.metrics().refusals("no_hello"), 1.0);
}

#[tokio::test]
async fn the_hello_comes_once() {
    let relay = TestRelay::start().await;
    let mut client = Client::join(&relay, &relay.lab()).await;
    client.say(&hello());
    assert!(matches!(client.refusal().await, Refusal::Protocol(_)));
    relay.until_empty().await;
}

#[tokio::test]
async fn a_newer_minor_version_is_welcome() {
    let relay = TestRelay::start().await;
    let mut wire = Dial::to(&relay, &relay.lab()).open().await.unwrap();
    let ClientMessage::Hello(hello) = hello() else {
        unreachable!()
    };
    wire.send_message(&ClientMessage::Hello(Hello {
        minor: MINOR_VERSION + 7,
        ..hello
    }));
    wire.send_message(&ClientMessage::Goodbye);
    let messages = wire.messages_to_the_end().await;
    assert!(
        matches!(
            messages[..],
            [ServerMessage::Welcome(_), ServerMessage::Session(_)]
        ),
        "{messages:?}"
    );
}

#[tokio::test]
async fn a_full_relay_says_what_is_full() {
    let relay = TestRelay::with(Options {
        labs: 1,
        hosts: 1,
        processes: 2,
        ..Options::default()
    })
    .await;
    let lab = relay.lab();
    let _first = Client::join(&relay, &lab).await;
    let other_lab = Client::try_join(&relay, &relay.lab(), "desk", "x").await;
    assert!(matches!(other_lab.unwrap_err(), Refusal::Full(_)));
    let other_host = Client::try_join(&relay, &lab, "bob", "x").await;
    assert!(matches!(other_host.unwrap_err(), Refusal::Full(_)));
    let _second = Client::join(&relay, &lab).await;
    let third = Client::try_join(&relay, &lab, "desk", "x").await;
    assert!(matches!(third.unwrap_err(), Refusal::Full(_)));
    assert_eq!(relay.metrics().refusals("full"), 3.0);
    assert_eq!(relay.metrics().processes(), 2.0);
}
