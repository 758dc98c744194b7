//! What a console keeps and how it reads.

use super::*;

fn shown(console: &Console) -> Vec<String> {
    let mark = |run: &Run| match run.source {
        Source::Stdout => run.text.clone(),
        Source::Stderr => format!("!{}", run.text),
        Source::Input => format!(">{}", run.text),
        Source::System => format!("#{}", run.text),
    };
    console
        .tail(usize::MAX)
        .map(|line| line.runs.iter().map(mark).collect::<Vec<_>>().join("|"))
        .collect()
}

fn written(parts: &[&str]) -> Console {
    let mut console = Console::default();
    for part in parts {
        console.output(Stream::Stdout, part);
    }
    console
}

#[test]
fn lines_may_arrive_in_any_pieces() {
    let whole = written(&["one\ntwo\n\nthree"]);
    let pieces = written(&["o", "ne", "\n", "two\n\nth", "ree"]);
    assert_eq!(shown(&whole), ["one", "two", "", "three"]);
    assert_eq!(shown(&pieces), shown(&whole));
    assert_eq!(pieces.text(), "one\ntwo\n\nthree");
}

#[test]
fn a_carriage_return_writes_over_the_line() {
    assert_eq!(
        shown(&written(&["10%\r20%", "\r30%\ndone\n"])),
        ["30%", "done"]
    );
    assert_eq!(shown(&written(&["100%\r5"])), ["500%"]);
    assert_eq!(shown(&written(&["你好世界\r再见"])), ["再见世界"]);
}

#[test]
fn a_carriage_return_before_a_line_end_changes_nothing() {
    let console = written(&["HTTP/1.0 200 OK\r", "\nServer: x\r\n"]);
    assert_eq!(shown(&console), ["HTTP/1.0 200 OK", "Server: x"]);
    assert_eq!(
        console.stream(Stream::Stdout),
        "HTTP/1.0 200 OK\r\nServer: x\r\n"
    );
}

#[test]
fn sources_share_a_line_and_stay_apart() {
    let mut console = Console::default();
    console.output(Stream::Stdout, "name? ");
    console.input("Bob\n");
    console.output(Stream::Stdout, "half");
    console.output(Stream::Stderr, "oops\n");
    console.output(Stream::Stdout, "left");
    console.system("stopped");
    assert_eq!(
        shown(&console),
        ["name? |>Bob", "half|!oops", "left", "#stopped"]
    );
    assert_eq!(console.text(), "name? Bob\nhalfoops\nleft\n");
    assert_eq!(console.stream(Stream::Stdout), "name? halfleft");
    assert_eq!(console.stream(Stream::Stderr), "oops\n");
}

#[test]
fn a_revision_tells_a_changed_line_from_a_drawn_one() {
    let mut console = written(&["a"]);
    let before = console.tail(1).map(|line| (line.id, line.revision)).next();
    console.output(Stream::Stdout, "b");
    let after = console.tail(1).map(|line| (line.id, line.revision)).next();
    assert_ne!(before, after);
    console.clear();
    console.output(Stream::Stdout, "c");
    assert!(
        console
            .tail(1)
            .all(|line| before.is_some_and(|(id, _)| id < line.id))
    );
}

#[test]
fn many_lines_keep_the_newest_and_say_so() {
    let mut console = Console::default();
    for number in 0..MAX_LINES {
        console.output(Stream::Stdout, &format!("{number}\n"));
    }
    assert!(!console.is_dropped());
    console.output(Stream::Stdout, "last\n");
    assert!(console.is_dropped());
    assert_eq!(console.len(), MAX_LINES);
    assert_eq!(shown(&console).last().map(String::as_str), Some("last"));
    assert_eq!(shown(&console).first().map(String::as_str), Some("1"));
}

#[test]
fn many_characters_keep_the_newest_whatever_their_lines() {
    for text in [
        "x".repeat(3 * MAX_CHARACTERS),
        "世\n".repeat(MAX_CHARACTERS),
        format!("{}\r", "y".repeat(5_000)),
    ] {
        let mut console = Console::default();
        let third = text.ceil_char_boundary(text.len() / 3);
        for part in [&text, &text[..third], &text[third..], "end"] {
            console.output(Stream::Stderr, part);
        }
        let kept: usize = console.lines.iter().map(|line| line.width).sum();
        assert_eq!(kept, console.characters);
        assert!(kept <= MAX_CHARACTERS && console.len() <= MAX_LINES);
        assert!(console.stream(Stream::Stderr).chars().count() <= MAX_CHARACTERS);
        assert!(console.lines.iter().all(|line| line.width <= MAX_LINE + 1));
    }
}

#[test]
fn a_folded_line_reads_as_one() {
    let long = "z".repeat(2 * MAX_LINE + 5);
    let console = written(&[&long, "\n"]);
    assert_eq!(console.len(), 3);
    assert_eq!(console.text(), format!("{long}\n"));
}

#[test]
fn clearing_forgets_everything() {
    let mut console = written(&["gone\r"]);
    console.clear();
    assert!(
        console.is_empty()
            && console.text().is_empty()
            && console.stream(Stream::Stdout).is_empty()
    );
    console.output(Stream::Stdout, "new");
    assert_eq!(shown(&console), ["new"]);
}
