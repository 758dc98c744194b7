//! Tracebacks name the program's own files and lines, and show no frame of ours.

use tests::{Exchange, Page, Stage, compare};

engines!(chromium = Chromium, firefox = Firefox);

/// What CPython 3.14 itself prints, marks included.
const CLIENT: &str = r#"Traceback (most recent call last):
  File "client.py", line 15, in main
    receiver.recvfrom(10)
    ~~~~~~~~~~~~~~~~~^^^^
TimeoutError: timed out

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "client.py", line 20, in <module>
    main()
    ~~~~^^
  File "client.py", line 17, in main
    raise RuntimeError('nobody answers') from error
RuntimeError: nobody answers
"#;

async fn check(page: &Page) {
    let exchange = Exchange::read("tracebacks", &["server", "client"]);
    let consoles = compare(page, &exchange, play).await;
    for console in &consoles {
        assert_eq!(console.status, 1);
        for file in console.files_in_tracebacks() {
            let ours = exchange.files().any(|(own, _)| file.ends_with(&own));
            let librarys = file.ends_with("/threading.py");
            assert!(ours || librarys, "{file} in {}", console.stderr);
        }
    }
    let shown: String = consoles[1]
        .stderr
        .split_inclusive('\n')
        .map(|line| match line.split_once("File \"") {
            Some((before, path)) => {
                let name = path.find("client.py").unwrap();
                format!("{before}File \"{}", &path[name..])
            }
            None => line.to_owned(),
        })
        .collect();
    assert_eq!(shown, CLIENT);
}

async fn play(stage: &Stage<'_>) {
    stage.run("server").await;
    stage.run("client").await;
}
