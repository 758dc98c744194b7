//! The console of one process: a log that a person reads, and a screen reader reads aloud.

use leptos::html::Div;
use leptos::prelude::*;

use crate::model::console::{Line, Source};
use crate::model::exchange::{ProcessId, ProcessSpec};
use crate::model::words::Word;
use crate::platform::{browser, clock};
use crate::view::page::{ConsoleLines, Page};

/// The console.
#[component]
pub(super) fn Console(
    page: Page,
    process: ProcessSpec,
    lines: RwSignal<ConsoleLines>,
) -> impl IntoView {
    let id = process.id;
    let log = NodeRef::<Div>::new();
    // The newest line stays in sight until the person scrolls up, and again once they are back at the end.
    let following = StoredValue::new(true);
    let scrolled = move |_| {
        if let Some(log) = log.get_untracked() {
            following.set_value(browser::is_at_end(&log));
        }
    };
    Effect::new(move |_| {
        lines.track();
        if let (true, Some(log)) = (following.get_value(), log.get_untracked()) {
            clock::next_frame(move || browser::scroll_to_end(&log));
        }
    });
    let empty = move || lines.with(|shown| shown.lines.is_empty());
    view! {
        <div
            class="console"
            role="log"
            aria-live="polite"
            tabindex="0"
            node_ref=log
            aria-label=page.about(Word::Console, &process)
            data-testid=format!("console-{}", process.name)
            data-empty=move || empty().then(page.text(Word::ConsoleEmpty))
            on:scroll=scrolled
        >
            <Show when=move || lines.with(|shown| shown.dropped)>
                <div class="line system">{page.text(Word::Dropped)}</div>
            </Show>
            <Show when=move || lines.with(|shown| shown.folded)>
                <div class="line system">{page.text(Word::Folded)}</div>
            </Show>
            <For each=move || lines.get().lines key=|line| *line let:line>
                {draw_line(page, id, line.0)}
            </For>
        </div>
    }
}

/// One line, as it is now: a line that changes is drawn anew.
fn draw_line(page: Page, process: ProcessId, line: u64) -> impl IntoView {
    let runs = page.read(|page| {
        page.console(process)?
            .line(line)
            .map(|line| (class(line), line.runs.clone()))
    });
    let (class, runs) = runs.unwrap_or_default();
    let runs = runs.into_iter().map(|run| {
        let class = match run.source {
            Source::Stdout => return run.text.into_any(),
            Source::Stderr => "stderr",
            Source::Input => "input",
            Source::System => "system",
        };
        view! { <span class=class>{run.text}</span> }.into_any()
    });
    view! { <div class=class>{runs.collect_view()}</div> }
}

/// The mark of a line: what it holds beside standard output is told by a sign at its start, not by colour alone.
fn class(line: &Line) -> &'static str {
    let starts = line.runs.first().map(|run| run.source);
    if line.has(Source::Stderr) {
        "line stderr"
    } else if starts == Some(Source::System) {
        "line system"
    } else if starts == Some(Source::Input) {
        "line input"
    } else {
        "line"
    }
}
