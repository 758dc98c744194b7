//! The connections to the relay are lost three times, and the programs notice nothing but a pause.

use tests::{Detour, Exchange, Page, Stage, Twin, Way};

engines!(chromium = Chromium, firefox = Firefox);

async fn check(page: &Page) {
    let detour = Detour::to(page.relay()).await;
    let exchange = Exchange::read("lost_connection", &["server", "client"]);
    let twin = Twin::open_at(page, detour.address(), &exchange).await;
    twin.play(async |stage| play(page, &detour, stage).await)
        .await;
    let metrics = page.relay().metrics();
    // Two processes, three times.
    let resumes = metrics.sum("socketpad_resumes_total", &[]);
    assert!(6.0 <= resumes, "{metrics:#?}");
    assert_eq!(metrics.sum("socketpad_resume_failures_total", &[]), 0.0);
}

async fn play(page: &Page, detour: &Detour, stage: &Stage<'_>) {
    let is_page = matches!(stage, Stage::Page(_));
    stage.run_until("server", "Listening").await;
    if is_page {
        detour.cut_after(Way::Up, 2_000_000);
    }
    stage.run("client").await;
    if is_page {
        until_cut(page, detour, 0).await;
        let cuts = detour.cuts();
        detour.cut_after(Way::Down, 3_000_000);
        until_cut(page, detour, cuts).await;
    }
    stage.until_printed("server", "Received").await;
    stage.input("client", "one").await;
    stage.until_printed("client", "ONE").await;
    if is_page {
        detour.shut();
        detour.cut();
        for process in ["server", "client"] {
            page.until(&format!("{process} waits for its connection"), async || {
                let words = page.words(process).await;
                (words == "waiting for its connection to the relay").then_some(())
            })
            .await;
        }
    }
    stage.input("client", "two").await;
    if is_page {
        detour.open();
    }
    stage.until_printed("client", "TWO").await;
    stage.end_input("client").await;
}

async fn until_cut(page: &Page, detour: &Detour, before: u64) {
    page.until("the connections are cut", async || {
        (before < detour.cuts()).then_some(())
    })
    .await;
}
