//! The signals that everything is drawn from, and the way back to the conductor.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::web_sys::Element;

use crate::model::console::Console;
use crate::model::exchange::{ProcessId, ProcessSpec};
use crate::model::playground::{Event, Playground};
use crate::model::process::{Process, State};
use crate::model::status;
use crate::model::words::{Language, Word};
use crate::platform::browser::{self, Shortcut};
use crate::platform::conductor::{Change, Conductor};
use crate::platform::{hook, store};

/// How many lines of a console are drawn; a browser that lays out more becomes slow.
pub(super) const MAX_DRAWN: usize = 2_000;

/// A handle to the page, for every component.
#[derive(Clone, Copy)]
pub(super) struct Page {
    /// Carries out what the person wants.
    conductor: StoredValue<Conductor, LocalStorage>,
    /// The language of everything.
    pub(super) language: RwSignal<Language>,
    /// The processes, in their order.
    pub(super) processes: RwSignal<Vec<ProcessSpec>>,
    /// There is something that "Restore original" would change.
    pub(super) edited: RwSignal<bool>,
    /// An editor could not be drawn.
    pub(super) no_editor: RwSignal<bool>,
    /// Whether the browser can run anything at all.
    pub(super) able: bool,
    /// The signals of the panes.
    panes: StoredValue<BTreeMap<ProcessId, PaneSignals>>,
}

/// What one pane is drawn from.
#[derive(Clone, Copy)]
pub(super) struct PaneSignals {
    /// What the process is doing.
    pub(super) state: RwSignal<PaneState>,
    /// What its console shows.
    pub(super) console: RwSignal<ConsoleLines>,
}

/// What a process is doing, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PaneState {
    /// The state's name in every language.
    pub(super) name: &'static str,
    /// The state in words.
    pub(super) words: String,
    /// The exit status, when there is one.
    pub(super) status: Option<i32>,
    /// Whether there is something to stop.
    pub(super) active: bool,
    /// Whether typed lines reach the program.
    pub(super) takes_input: bool,
}

/// What a console shows: its lines by id and revision, so that only new and changed ones are drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ConsoleLines {
    /// The drawn lines.
    pub(super) lines: Vec<(u64, u32)>,
    /// Older output is gone.
    pub(super) dropped: bool,
    /// More is kept than drawn.
    pub(super) folded: bool,
}

impl Page {
    /// Opens the page and begins to listen.
    pub(super) fn open() -> Self {
        let conductor = Conductor::open();
        let page = Self {
            language: RwSignal::new(conductor.read(Playground::language)),
            processes: RwSignal::new(conductor.read(|page| page.exchange().processes().to_vec())),
            edited: RwSignal::new(conductor.read(|page| page.exchange().is_edited())),
            no_editor: RwSignal::new(false),
            able: browser::can_suspend(),
            panes: StoredValue::default(),
            conductor: StoredValue::new_local(conductor.clone()),
        };
        conductor.begin(move |change| page.changed(change));
        browser::speak(page.language.get_untracked());
        browser::on_shortcut(move |shortcut, process| page.shortcut(shortcut, process.as_deref()));
        hook::install(&conductor);
        page
    }

    /// Hands on a wish.
    pub(super) fn perform(self, event: Event) {
        if self.able || !matches!(event, Event::Run(_) | Event::RunAll) {
            self.conductor
                .with_value(|conductor| conductor.perform(event));
        }
    }

    /// Looks something up.
    pub(super) fn read<T>(self, read: impl FnOnce(&Playground) -> T) -> T {
        self.conductor.with_value(|conductor| conductor.read(read))
    }

    /// The signals of a pane, made when it is drawn first.
    pub(super) fn pane(self, id: ProcessId) -> PaneSignals {
        if let Some(known) = self.panes.with_value(|panes| panes.get(&id).copied()) {
            return known;
        }
        let signals = PaneSignals {
            state: RwSignal::new(self.pane_state(id)),
            console: RwSignal::new(self.console_lines(id)),
        };
        self.panes.update_value(|panes| {
            panes.insert(id, signals);
        });
        signals
    }

    /// Puts the editor of a file into an element.
    pub(super) fn edit(self, parent: &Element, file: &str) {
        let drawn = self
            .conductor
            .with_value(|conductor| conductor.edit(parent, file));
        if drawn.is_err() {
            self.no_editor.set(true);
        }
    }

    /// Forgets a pane that leaves the page.
    pub(super) fn close(self, process: &ProcessSpec) {
        self.panes.update_value(|panes| {
            panes.remove(&process.id);
        });
        self.conductor
            .with_value(|conductor| conductor.close(&process.file));
    }

    /// Speaks another language from now on.
    pub(super) fn speak(self, language: Language) {
        self.language.set(language);
        browser::speak(language);
        store::keep_language(language.tag());
        self.perform(Event::Speak(language));
    }

    /// A text in the page's language, whichever that is.
    pub(super) fn text(self, word: Word) -> impl Fn() -> &'static str + Copy + Send + Sync + use<> {
        move || self.language.get().text(word)
    }

    /// The same about a process.
    pub(super) fn about(
        self,
        word: Word,
        process: &ProcessSpec,
    ) -> impl Fn() -> String + Clone + Send + Sync + use<> {
        let name = process.name.to_string();
        move || self.language.get().fill(word, &[("process", &name)])
    }

    fn changed(self, change: Change) {
        match change {
            Change::State(id) => {
                if let Some(pane) = self.panes.with_value(|panes| panes.get(&id).copied()) {
                    pane.state.set(self.pane_state(id));
                }
            }
            Change::Console(id) => {
                if let Some(pane) = self.panes.with_value(|panes| panes.get(&id).copied()) {
                    pane.console.set(self.console_lines(id));
                }
            }
            Change::Processes => {
                self.processes
                    .set(self.read(|page| page.exchange().processes().to_vec()));
                self.changed(Change::Texts);
            }
            Change::Texts => {
                let edited = self.read(|page| page.exchange().is_edited());
                if self.edited.get_untracked() != edited {
                    self.edited.set(edited);
                }
            }
        }
    }

    fn shortcut(self, shortcut: Shortcut, process: Option<&str>) {
        let focused = self.read(|page| {
            let all = page.exchange();
            let process = process
                .and_then(|name| all.process_named(name))
                .or(all.processes().first());
            process.map(|process| process.id)
        });
        match (shortcut, focused) {
            (Shortcut::RunAll, _) => self.perform(Event::RunAll),
            (Shortcut::Run, Some(id)) => self.perform(Event::Run(id)),
            (Shortcut::Stop, Some(id)) => self.perform(Event::Stop(id)),
            (Shortcut::Run | Shortcut::Stop, None) => {}
        }
    }

    fn pane_state(self, id: ProcessId) -> PaneState {
        let language = self.language.get_untracked();
        self.read(|page| pane_state(page.process(id).unwrap_or(&Process::default()), language))
    }

    fn console_lines(self, id: ProcessId) -> ConsoleLines {
        self.read(|page| page.console(id).map(console_lines).unwrap_or_default())
    }
}

fn pane_state(process: &Process, language: Language) -> PaneState {
    let status = match process.state() {
        State::Exited { status } => Some(*status),
        _ => None,
    };
    PaneState {
        name: process.state().name(),
        words: status::describe(process, language),
        status,
        active: process.state().is_active(),
        takes_input: process.takes_input(),
    }
}

fn console_lines(console: &Console) -> ConsoleLines {
    ConsoleLines {
        lines: console
            .tail(MAX_DRAWN)
            .map(|line| (line.id, line.revision))
            .collect(),
        dropped: console.is_dropped(),
        folded: MAX_DRAWN < console.len(),
    }
}
