//! The whole page as one state machine: events in, effects out.
//!
//! It wires the parts together and decides nothing that a part can decide for itself. `platform` carries out the
//! effects, in order; `view` draws what is readable here.

use crate::model::console::Console;
use crate::model::exchange::{Exchange, ProcessId, ProcessSpec};
use crate::model::lineup::{self, Lineup};
use crate::model::message::{BootStep, Command, EngineSource, Report};
use crate::model::process::{self, Process, STOP_GRACE_MS, State};
use crate::model::status;
use crate::model::words::Language;
use crate::model::workers::{self, FIRST_WORD_MS, WorkerId, Workers};

/// Something that is being counted down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The time that a process has to end after Ctrl-C.
    Grace(ProcessId),
    /// The time that "Run all" waits for a process to become ready.
    Patience,
    /// The time that a worker has to say its first word.
    FirstWord(WorkerId),
}

/// What happens to the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The browser has an engine from an earlier visit.
    CacheFound,
    /// Run one process.
    Run(ProcessId),
    /// Stop one process.
    Stop(ProcessId),
    /// Run every process, in order; those that still run are stopped first.
    RunAll,
    /// Stop every process.
    StopAll,
    /// A line was typed for a process.
    Input(ProcessId, String),
    /// The input of a process was ended.
    Eof(ProcessId),
    /// An editor shows a new text.
    Edited {
        /// The editor's file.
        file: String,
        /// The whole text.
        text: String,
    },
    /// One more client is wanted.
    AddClient,
    /// The texts and processes that the page came with are wanted back.
    Restore,
    /// A worker said something.
    Report(WorkerId, Report),
    /// A timer ran out.
    Expired(Timer),
    /// The page now speaks another language.
    Speak(Language),
}

/// What has to be done for the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Create a worker.
    Create {
        /// Which one.
        worker: WorkerId,
        /// Where its interpreter comes from.
        engine: EngineSource,
    },
    /// Tell a worker something.
    Tell(WorkerId, Command),
    /// Terminate a worker.
    Terminate(WorkerId),
    /// Begin a countdown, in milliseconds; one that is under way begins again.
    Arm(Timer, u32),
    /// Give up a countdown.
    Disarm(Timer),
    /// The exchange has changed: keep it for the next visit.
    Save,
    /// What a process is doing has changed: draw it.
    DrawState(ProcessId),
    /// The console of a process has changed: draw it when convenient.
    DrawConsole(ProcessId),
    /// The list of processes has changed: draw it.
    DrawProcesses,
    /// These texts have changed, but not by their editors: show them.
    ShowTexts,
}

/// A process of the page with its console.
#[derive(Debug, Clone, Default)]
struct Seat {
    /// What it is doing.
    process: Process,
    /// What it printed and was given.
    console: Console,
}

/// The whole page.
#[derive(Debug, Clone)]
pub struct Playground {
    /// The files and the processes.
    exchange: Exchange,
    /// In the order of the exchange's processes.
    seats: Vec<(ProcessId, Seat)>,
    /// The workers that run them.
    workers: Workers,
    /// What "Run all" still has to start.
    lineup: Lineup,
    /// The language of what the page writes into consoles.
    language: Language,
}

impl Playground {
    /// A page with this exchange, in this language; nothing runs yet.
    pub fn new(exchange: Exchange, language: Language) -> Self {
        let seats = exchange
            .processes()
            .iter()
            .map(|process| (process.id, Seat::default()))
            .collect();
        Self {
            exchange,
            seats,
            workers: Workers::default(),
            lineup: Lineup::default(),
            language,
        }
    }

    /// The files and the processes.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// What one process is doing.
    pub fn process(&self, id: ProcessId) -> Option<&Process> {
        self.seat(id).map(|seat| &seat.process)
    }

    /// What one process printed and was given.
    pub fn console(&self, id: ProcessId) -> Option<&Console> {
        self.seat(id).map(|seat| &seat.console)
    }

    /// The language of what the page writes into consoles.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Takes an event and says what has to be done, in order.
    pub fn apply(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::CacheFound => self.dispatch(workers::Event::CacheFound, &mut effects),
            Event::Run(id) => self.tell_process(id, process::Event::Run, &mut effects),
            Event::Stop(id) => self.tell_process(id, process::Event::Stop, &mut effects),
            Event::RunAll => self.run_all(&mut effects),
            Event::StopAll => self.stop_all(&mut effects),
            Event::Input(id, text) => {
                self.tell_process(id, process::Event::Input(text), &mut effects)
            }
            Event::Eof(id) => self.tell_process(id, process::Event::Eof, &mut effects),
            Event::Edited { file, text } => {
                if self.exchange.text(&file).is_some_and(|kept| kept != text) {
                    self.exchange.edit(&file, &text);
                    effects.push(Effect::Save);
                }
            }
            Event::AddClient => {
                if self.exchange.add_client().is_some() {
                    self.reseat(&mut effects);
                }
            }
            Event::Restore => {
                self.exchange.restore();
                self.reseat(&mut effects);
                effects.push(Effect::ShowTexts);
            }
            Event::Report(worker, report) => self.report(worker, report, &mut effects),
            Event::Expired(Timer::Grace(id)) => {
                self.tell_process(id, process::Event::GraceOver, &mut effects)
            }
            Event::Expired(Timer::Patience) => {
                self.line_up(lineup::Event::PatienceOver, &mut effects)
            }
            // Nobody says that its script never came.
            Event::Expired(Timer::FirstWord(worker)) if self.workers.is_silent(worker) => {
                self.report(worker, Report::Unloaded, &mut effects)
            }
            Event::Expired(Timer::FirstWord(_)) => {}
            Event::Speak(language) => {
                self.language = language;
                effects.extend(self.seats.iter().map(|(id, _)| Effect::DrawState(*id)));
            }
        }
        effects
    }

    fn seat(&self, id: ProcessId) -> Option<&Seat> {
        self.seats
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, seat)| seat)
    }

    fn seat_mut(&mut self, id: ProcessId) -> Option<&mut Seat> {
        self.seats
            .iter_mut()
            .find(|(known, _)| *known == id)
            .map(|(_, seat)| seat)
    }

    fn spec(&self, id: ProcessId) -> Option<&ProcessSpec> {
        self.exchange
            .processes()
            .iter()
            .find(|process| process.id == id)
    }

    fn in_state(&self, wanted: impl Fn(&State) -> bool) -> Vec<ProcessId> {
        self.seats
            .iter()
            .filter(|(_, seat)| wanted(seat.process.state()))
            .map(|(id, _)| *id)
            .collect()
    }

    fn run_all(&mut self, effects: &mut Vec<Effect>) {
        // An impatient second click must not throw away a boot.
        if !self
            .in_state(|state| matches!(state, State::Booting(_) | State::Starting))
            .is_empty()
        {
            return;
        }
        let order = self.seats.iter().map(|(id, _)| *id).collect();
        let active = self.in_state(State::is_active);
        self.line_up(
            lineup::Event::RunAll {
                order,
                active: active.clone(),
            },
            effects,
        );
        for id in active {
            self.tell_process(id, process::Event::Stop, effects);
        }
    }

    fn stop_all(&mut self, effects: &mut Vec<Effect>) {
        self.line_up(lineup::Event::Cancel, effects);
        for id in self.in_state(State::is_active) {
            self.tell_process(id, process::Event::Stop, effects);
        }
    }

    fn report(&mut self, worker: WorkerId, report: Report, effects: &mut Vec<Effect>) {
        let process = self.workers.process(worker);
        let fate = match report {
            Report::Progress(BootStep::Download) => Some(workers::Event::Spoke(worker)),
            Report::Booted => Some(workers::Event::Booted(worker)),
            Report::Paused => Some(workers::Event::RelayLost),
            Report::Unloaded if process.is_some() => Some(workers::Event::RelayLost),
            Report::EngineKept => Some(workers::Event::EngineKept(worker)),
            Report::Started => Some(workers::Event::Started(worker)),
            // A spare that ends has no process that would dismiss it.
            Report::Exit { .. }
            | Report::Failed { .. }
            | Report::Lost
            | Report::Unloaded
            | Report::Crashed { .. }
                if process.is_none() =>
            {
                effects.push(Effect::Terminate(worker));
                Some(workers::Event::Gone(worker))
            }
            _ => None,
        };
        if let Some(id) = process {
            self.tell_process(id, process::Event::Report(report), effects);
        }
        if let Some(fate) = fate {
            self.dispatch(fate, effects);
        }
    }

    fn tell_process(&mut self, id: ProcessId, event: process::Event, effects: &mut Vec<Effect>) {
        let Some(seat) = self.seat_mut(id) else {
            return;
        };
        let before = (
            seat.process.state().clone(),
            seat.process.is_stopping(),
            seat.process.takes_input(),
            seat.process.is_cut(),
        );
        let wanted = seat.process.apply(event);
        let after = (
            seat.process.state(),
            seat.process.is_stopping(),
            seat.process.takes_input(),
            seat.process.is_cut(),
        );
        if (&before.0, before.1, before.2, before.3) != after {
            effects.push(Effect::DrawState(id));
        }
        for effect in wanted {
            self.carry_out(id, effect, effects);
        }
    }

    fn carry_out(&mut self, id: ProcessId, effect: process::Effect, effects: &mut Vec<Effect>) {
        use process::Effect as Wanted;
        match effect {
            Wanted::ClearConsole => self.print(id, effects, Console::clear),
            Wanted::Print(stream, text) => {
                self.print(id, effects, |console| console.output(stream, &text))
            }
            Wanted::Echo(text) => self.print(id, effects, |console| console.input(&text)),
            Wanted::Explain(notice) => {
                let sentence = status::explain(&notice, self.language);
                self.print(id, effects, |console| console.system(&sentence));
            }
            Wanted::WantWorker => self.dispatch(workers::Event::Wanted(id), effects),
            Wanted::WithdrawWorker => self.dispatch(workers::Event::Withdrawn(id), effects),
            Wanted::SendInput(text) => self.tell_worker(id, Command::Input(text), effects),
            Wanted::SendEof => self.tell_worker(id, Command::Eof, effects),
            Wanted::Interrupt => self.tell_worker(id, Command::Interrupt, effects),
            Wanted::ArmGrace => effects.push(Effect::Arm(Timer::Grace(id), STOP_GRACE_MS)),
            Wanted::DisarmGrace => effects.push(Effect::Disarm(Timer::Grace(id))),
            Wanted::Dismiss => {
                if let Some(worker) = self.workers.worker(id) {
                    effects.push(Effect::Terminate(worker));
                    self.dispatch(workers::Event::Gone(worker), effects);
                }
            }
            Wanted::Begun => self.line_up(lineup::Event::Begun(id), effects),
            Wanted::Ready => self.line_up(lineup::Event::Ready(id), effects),
            Wanted::Over => self.line_up(lineup::Event::Over(id), effects),
        }
    }

    fn print(
        &mut self,
        id: ProcessId,
        effects: &mut Vec<Effect>,
        write: impl FnOnce(&mut Console),
    ) {
        if let Some(seat) = self.seat_mut(id) {
            write(&mut seat.console);
            effects.push(Effect::DrawConsole(id));
        }
    }

    fn tell_worker(&mut self, id: ProcessId, command: Command, effects: &mut Vec<Effect>) {
        if let Some(worker) = self.workers.worker(id) {
            effects.push(Effect::Tell(worker, command));
        }
    }

    fn dispatch(&mut self, event: workers::Event, effects: &mut Vec<Effect>) {
        for effect in self.workers.apply(event) {
            match effect {
                workers::Effect::Boot { worker, engine } => {
                    effects.push(Effect::Create { worker, engine });
                    effects.push(Effect::Tell(worker, Command::Boot(engine)));
                    effects.push(Effect::Arm(Timer::FirstWord(worker), FIRST_WORD_MS));
                }
                workers::Effect::Dismiss(worker) => effects.push(Effect::Terminate(worker)),
                workers::Effect::Assign {
                    worker,
                    process,
                    readiness,
                } => {
                    if let Some(program) =
                        self.spec(process).map(|spec| self.exchange.program(spec))
                    {
                        effects.push(Effect::Tell(worker, Command::Start(program)));
                    }
                    self.tell_process(process, process::Event::Assigned(readiness), effects);
                }
            }
        }
    }

    fn line_up(&mut self, event: lineup::Event, effects: &mut Vec<Effect>) {
        for effect in self.lineup.apply(event) {
            match effect {
                lineup::Effect::Run(id) => self.tell_process(id, process::Event::Run, effects),
                lineup::Effect::ArmPatience => {
                    effects.push(Effect::Arm(Timer::Patience, lineup::PATIENCE_MS))
                }
                lineup::Effect::DisarmPatience => effects.push(Effect::Disarm(Timer::Patience)),
            }
        }
    }

    /// Gives every process of the exchange a seat, and ends those that have left it.
    fn reseat(&mut self, effects: &mut Vec<Effect>) {
        let staying: Vec<_> = self
            .exchange
            .processes()
            .iter()
            .map(|process| process.id)
            .collect();
        let leaving = self
            .seats
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| !staying.contains(id))
            .collect::<Vec<_>>();
        for id in leaving {
            // The first stop asks politely, the second does not wait.
            self.tell_process(id, process::Event::Stop, effects);
            self.tell_process(id, process::Event::Stop, effects);
        }
        let mut seats = std::mem::take(&mut self.seats);
        let seat = |id: ProcessId| {
            let at = seats.iter().position(|(known, _)| *known == id);
            at.map_or_else(|| (id, Seat::default()), |at| seats.swap_remove(at))
        };
        self.seats = staying.into_iter().map(seat).collect();
        effects.extend([Effect::Save, Effect::DrawProcesses]);
    }
}

#[cfg(test)]
mod tests;
