//! Carries out what the playground wants done.
//!
//! Every event of the page goes through [`Conductor::perform`]: the playground answers with effects, and these become
//! workers, messages, countdowns and calls to the view. The conductor itself decides nothing.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use web_sys::Element;

use crate::model::exchange::{Exchange, ProcessId};
use crate::model::message::{Command, Report};
use crate::model::playground::{Effect, Event, Playground, Timer};
use crate::model::saved::{self, Processes};
use crate::model::workers::WorkerId;
use crate::platform::browser::Leave;
use crate::platform::clock::{self, Countdown};
use crate::platform::editor::{Editor, NoEditor, Theme};
use crate::platform::intake::Intake;
use crate::platform::worker_port::{Arrival, Attachments, Engine, WorkerPort};
use crate::platform::{browser, engine_cache, lab, store};

/// How long after the last change the exchange is kept, in milliseconds.
const SAVE_AFTER_MS: u32 = 400;

/// How long output waits at most before it is taken in, in milliseconds.
const TAKE_AFTER_MS: u32 = 30;
/// The same after a flood, so that drawing it leaves most of the time to the person.
const TAKE_AFTER_FLOOD_MS: u32 = 200;
/// How much output at once is a flood, in bytes.
const FLOOD: usize = 20_000;

/// What the view has to draw anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// What this process is doing.
    State(ProcessId),
    /// The console of this process; called at most once a frame.
    Console(ProcessId),
    /// The list of processes.
    Processes,
    /// Some text: whether there is something to restore may have changed.
    Texts,
}

/// A handle to the page's one conductor.
#[derive(Debug, Clone)]
pub struct Conductor(Rc<Inner>);

/// What the handles share.
struct Inner {
    /// Who decides.
    playground: RefCell<Playground>,
    /// The workers that live.
    workers: RefCell<BTreeMap<WorkerId, WorkerPort>>,
    /// Python, once a worker has handed it over.
    engine: RefCell<Option<Engine>>,
    /// What is being counted down.
    countdowns: RefCell<BTreeMap<Timer, Countdown>>,
    /// Counts down to the next save.
    saving: RefCell<Option<Countdown>>,
    /// The editors on the page, by file.
    editors: RefCell<BTreeMap<String, Editor>>,
    /// The output that waits to be taken in.
    intakes: RefCell<BTreeMap<WorkerId, Intake>>,
    /// Counts down to the next taking in.
    taking: RefCell<Option<Countdown>>,
    /// How much was taken in the last time.
    taken: Cell<usize>,
    /// The consoles to draw in the next frame.
    stale: RefCell<Vec<ProcessId>>,
    /// The view.
    view: OnceCell<Box<dyn Fn(Change)>>,
    /// The address of the relay.
    relay: String,
}

impl fmt::Debug for Inner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Inner")
            .field("playground", &self.playground)
            .finish_non_exhaustive()
    }
}

impl Conductor {
    /// Opens the page as its address and the last visit say.
    pub fn open() -> Self {
        let listed = browser::parameter("processes").map(|list| Exchange::parse_names(&list));
        let processes = match listed {
            Some(names) if !names.is_empty() => Processes::Listed(names),
            _ => Processes::Remembered,
        };
        let exchange = saved::restore(store::exchange().as_deref(), processes);
        let conductor = Self(Rc::new(Inner {
            playground: RefCell::new(Playground::new(exchange, browser::language())),
            workers: RefCell::default(),
            engine: RefCell::default(),
            countdowns: RefCell::default(),
            saving: RefCell::default(),
            editors: RefCell::default(),
            intakes: RefCell::default(),
            taking: RefCell::default(),
            taken: Cell::default(),
            stale: RefCell::default(),
            view: OnceCell::new(),
            relay: lab::relay_url().unwrap_or_default(),
        }));
        let leaving = conductor.clone();
        browser::on_leave(move |leave| leaving.leave(leave));
        let lit = conductor.clone();
        browser::on_theme(move |theme| lit.light(theme));
        conductor
    }

    /// Begins to call the view, and boots a warm spare when Python is in the browser already.
    pub fn begin(&self, view: impl Fn(Change) + 'static) {
        let first = self.0.view.set(Box::new(view)).is_ok();
        if first && browser::can_suspend() {
            let conductor = self.clone();
            engine_cache::look(move || conductor.perform(Event::CacheFound));
        }
    }

    /// Looks something up; `read` must not perform anything.
    pub fn read<T>(&self, read: impl FnOnce(&Playground) -> T) -> T {
        read(&self.0.playground.borrow())
    }

    /// Takes in all output that has arrived.
    pub fn catch_up(&self) {
        self.0.taking.take();
        let waiting = self.0.intakes.take();
        self.0.taken.set(0);
        for (worker, mut intake) in waiting {
            self.take_in(worker, &mut intake);
        }
    }

    /// Lets the playground decide what follows from an event, and does it.
    pub fn perform(&self, event: Event) {
        let effects = self.0.playground.borrow_mut().apply(event);
        for effect in effects {
            self.carry_out(effect);
        }
    }

    /// Puts an editor for a file into an element.
    pub fn edit(&self, parent: &Element, file: &str) -> Result<(), NoEditor> {
        let text = self.read(|page| page.exchange().text(file).unwrap_or_default().to_owned());
        let conductor = self.clone();
        let name = file.to_owned();
        let changed = move |text| {
            conductor.perform(Event::Edited {
                file: name.clone(),
                text,
            });
            conductor.draw(Change::Texts);
        };
        let editor = Editor::new(parent, file, &text, browser::theme(), changed)?;
        self.0.editors.borrow_mut().insert(file.to_owned(), editor);
        Ok(())
    }

    /// Shows a text in the editor of a file, which then tells the playground, as if it had been typed.
    pub fn set_text(&self, file: &str, text: &str) {
        if let Some(editor) = self.0.editors.borrow().get(file) {
            editor.set_text(text);
            return;
        }
        // A pane that is just being added has no editor yet, and will begin with this.
        self.perform(Event::Edited {
            file: file.to_owned(),
            text: text.to_owned(),
        });
    }

    /// Takes the editor of a file off the page.
    pub fn close(&self, file: &str) {
        let editor = self.0.editors.borrow_mut().remove(file);
        drop(editor);
    }

    fn light(&self, theme: Theme) {
        for editor in self.0.editors.borrow().values() {
            editor.set_theme(theme);
        }
    }

    fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Create { worker, .. } => self.create(worker),
            Effect::Tell(worker, command) => self.tell(worker, &command),
            Effect::Terminate(worker) => {
                self.0.intakes.borrow_mut().remove(&worker);
                let port = self.0.workers.borrow_mut().remove(&worker);
                drop(port);
            }
            Effect::Arm(timer, milliseconds) => {
                let conductor = self.clone();
                let expired = move || conductor.perform(Event::Expired(timer));
                if let Some(countdown) = Countdown::start(milliseconds, expired) {
                    self.0.countdowns.borrow_mut().insert(timer, countdown);
                }
            }
            Effect::Disarm(timer) => {
                let countdown = self.0.countdowns.borrow_mut().remove(&timer);
                drop(countdown);
            }
            Effect::Save => {
                let conductor = self.clone();
                let countdown = Countdown::start(SAVE_AFTER_MS, move || conductor.save());
                *self.0.saving.borrow_mut() = countdown;
            }
            Effect::DrawState(id) => self.draw(Change::State(id)),
            Effect::DrawConsole(id) => self.draw_later(id),
            Effect::DrawProcesses => self.draw(Change::Processes),
            Effect::ShowTexts => self.show_texts(),
        }
    }

    fn create(&self, worker: WorkerId) {
        let conductor = self.clone();
        let arrived = move |arrival| conductor.arrived(worker, arrival);
        match WorkerPort::create(&format!("process {}", worker.0), arrived) {
            Ok(port) => {
                self.0.workers.borrow_mut().insert(worker, port);
            }
            Err(error) => self.crash(worker, &error),
        }
    }

    fn arrived(&self, worker: WorkerId, arrival: Arrival) {
        let report = match arrival {
            Arrival::Output(stream, text) => {
                self.0
                    .intakes
                    .borrow_mut()
                    .entry(worker)
                    .or_default()
                    .push(stream, text);
                let conductor = self.clone();
                let mut taking = self.0.taking.borrow_mut();
                if taking.is_none() {
                    let flood = FLOOD < self.0.taken.get();
                    let delay = if flood {
                        TAKE_AFTER_FLOOD_MS
                    } else {
                        TAKE_AFTER_MS
                    };
                    *taking = Countdown::start(delay, move || conductor.catch_up());
                }
                return;
            }
            Arrival::Engine(engine) => {
                *self.0.engine.borrow_mut() = Some(engine);
                Report::EngineKept
            }
            Arrival::Report(report) => report,
        };
        // What was printed before comes before.
        let waiting = self.0.intakes.borrow_mut().remove(&worker);
        if let Some(mut intake) = waiting {
            self.take_in(worker, &mut intake);
        }
        self.perform(Event::Report(worker, report));
    }

    fn take_in(&self, worker: WorkerId, intake: &mut Intake) {
        for (stream, text) in intake.take() {
            self.0.taken.set(self.0.taken.get() + text.len());
            self.perform(Event::Report(worker, Report::Output { stream, text }));
        }
    }

    fn tell(&self, worker: WorkerId, command: &Command) {
        let told = {
            let engine = self.0.engine.borrow();
            let attached = Attachments {
                engine: engine.as_ref(),
                relay: &self.0.relay,
            };
            match self.0.workers.borrow().get(&worker) {
                Some(port) => port.tell(command, attached),
                None => Ok(()),
            }
        };
        if let Err(error) = told {
            self.crash(worker, &error);
        }
    }

    /// What the browser refuses to do for a worker ends it as a breakdown of its own would.
    fn crash(&self, worker: WorkerId, error: &wasm_bindgen::JsValue) {
        let detail = js_sys::Error::from(error.clone()).message().into();
        self.perform(Event::Report(worker, Report::Crashed { detail }));
    }

    fn leave(&self, leave: Leave) {
        self.save();
        if leave == Leave::ForGood {
            for worker in self.0.workers.borrow().values() {
                worker.kill();
            }
        }
    }

    fn save(&self) {
        let text = self.read(|page| saved::save(page.exchange()));
        if let Some(text) = text {
            store::keep_exchange(&text);
        }
    }

    fn show_texts(&self) {
        let texts: Vec<(String, String)> = self.read(|page| {
            page.exchange()
                .files()
                .map(|(file, text)| (file.to_owned(), text.to_owned()))
                .collect()
        });
        for (file, text) in texts {
            let editors = self.0.editors.borrow();
            if let Some(editor) = editors.get(&file).filter(|editor| editor.text() != text) {
                editor.set_text(&text);
            }
        }
        self.draw(Change::Texts);
    }

    fn draw(&self, change: Change) {
        if let Some(view) = self.0.view.get() {
            view(change);
        }
    }

    /// Draws a console in the next frame, however often it changes until then.
    fn draw_later(&self, id: ProcessId) {
        let mut stale = self.0.stale.borrow_mut();
        if stale.is_empty() {
            let conductor = self.clone();
            clock::next_frame(move || {
                let stale = conductor.0.stale.take();
                for id in stale {
                    conductor.draw(Change::Console(id));
                }
            });
        }
        if !stale.contains(&id) {
            stale.push(id);
        }
    }
}
