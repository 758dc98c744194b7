//! A relay that is not for everybody.

use relay::Options;
use tests::{Ask, Client, Dial, TestRelay};

const TOKEN: &str = "correct-horse-battery";

async fn closed() -> TestRelay {
    let mut options = Options::default();
    options.access.token = Some(TOKEN.parse().unwrap());
    TestRelay::with(options).await
}

#[tokio::test]
async fn without_the_token_nothing_opens() {
    let relay = closed().await;
    for path in [
        "/",
        "/metrics",
        "/start.js",
        "/?token=wrong-horse-battery-1",
    ] {
        let answer = Ask::to(&relay, "GET", path).send(&relay).await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.text().contains("access token"), "{path}");
    }
    let dial = Dial::to(&relay, &relay.lab());
    assert_eq!(dial.open().await.unwrap_err(), 401);
    assert_eq!(
        Ask::to(&relay, "GET", "/healthz").send(&relay).await.status,
        200
    );
}

#[tokio::test]
async fn a_person_opens_the_page_once_with_the_token() {
    let relay = closed().await;
    let path = format!("/?token={TOKEN}");
    let entered = Ask::to(&relay, "GET", &path).send(&relay).await;
    assert_eq!(entered.status, 303);
    assert_eq!(entered.headers["location"], "/");
    let cookie = &entered.headers["set-cookie"];
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();

    let metrics = Ask::to(&relay, "GET", "/metrics").with("Cookie", pair);
    assert_eq!(metrics.send(&relay).await.status, 200);
    let dial = Dial {
        headers: vec![("Cookie".to_owned(), pair.to_owned())],
        ..Dial::to(&relay, &relay.lab())
    };
    Client::begin(dial.clone(), "desk", "server").await.unwrap();
    // The cookie does not make another site's page welcome.
    let foreign = Dial {
        origin: Some("http://elsewhere.example".to_owned()),
        ..dial
    };
    assert_eq!(foreign.open().await.unwrap_err(), 403);
}

#[tokio::test]
async fn a_program_sends_the_token_in_a_header() {
    let relay = closed().await;
    let bearer = format!("Bearer {TOKEN}");
    let metrics = Ask::to(&relay, "GET", "/metrics").with("Authorization", &bearer);
    assert_eq!(metrics.send(&relay).await.status, 200);
}
