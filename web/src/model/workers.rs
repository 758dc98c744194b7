//! Which worker boots when, which process it is for, and which one waits warm.
//!
//! Three rules. The first boot of a visit downloads and compiles Python, and hands the result to the page as its
//! *engine*; while it is under way, nobody else does the same work, the others wait. Later boots are handed the engine.
//! And as soon as everything that was started runs, one more worker is booted and kept, so that the next Run is
//! instant: the warm spare. It is not booted earlier, because it would slow down what somebody is waiting for.
//!
//! A worker whose script was on its way when the relay went away may never say so: Firefox then reports no error. So a
//! spare that still boots is given up when the relay is lost, and a worker's first word is waited for only so long.

use std::collections::VecDeque;

use crate::model::exchange::ProcessId;
use crate::model::message::EngineSource;
use crate::model::process::Readiness;

/// How long the first word of a worker is waited for, in milliseconds: as long as its script, some 200 kB, may take on a
/// slow line.
pub const FIRST_WORD_MS: u32 = 30_000;

/// One worker; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u32);

/// What happens to the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The browser has an engine from an earlier visit.
    CacheFound,
    /// This process wants a worker.
    Wanted(ProcessId),
    /// This process no longer wants one.
    Withdrawn(ProcessId),
    /// The script of this worker is there, and it says what it does.
    Spoke(WorkerId),
    /// The interpreter of this worker is ready.
    Booted(WorkerId),
    /// This worker handed over its engine.
    EngineKept(WorkerId),
    /// The program of this worker runs.
    Started(WorkerId),
    /// This worker is finished, in whatever way.
    Gone(WorkerId),
    /// A process has lost its connection to the relay.
    RelayLost,
}

/// What has to be done for the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Create a worker and boot it.
    Boot {
        /// Which one.
        worker: WorkerId,
        /// Where its interpreter comes from.
        engine: EngineSource,
    },
    /// Give a worker to a process, and tell it the program.
    Assign {
        /// Which worker.
        worker: WorkerId,
        /// Which process.
        process: ProcessId,
        /// Whether it has booted.
        readiness: Readiness,
    },
    /// Terminate a worker that nobody uses.
    Dismiss(WorkerId),
}

/// The workers of the page.
#[derive(Debug, Clone, Default)]
pub struct Workers {
    /// Every worker that has not ended, the oldest first.
    staff: Vec<Worker>,
    /// The processes that wait for a worker.
    queue: VecDeque<ProcessId>,
    /// How far the engine is.
    engine: Engine,
    /// Whether a warm spare is wanted.
    spare: Spare,
    /// The id of the next worker.
    next_id: u32,
}

/// The engine of this visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Engine {
    /// Nobody has booted yet.
    #[default]
    Unknown,
    /// This worker will hand it over.
    Coming(WorkerId),
    /// The page has it.
    Known,
}

/// Whether a warm spare is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Spare {
    /// Not before somebody runs something: a first visit stays small.
    #[default]
    Unwanted,
    /// As soon as nothing else is being started.
    Wanted,
}

/// What is known about one worker.
#[derive(Debug, Clone, Copy)]
struct Worker {
    /// Which one it is.
    id: WorkerId,
    /// Whom it works for; the warm spare for nobody.
    process: Option<ProcessId>,
    /// How far its boot is.
    boot: Boot,
    /// Whether its program runs.
    begun: Begun,
}

/// How far the boot of a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boot {
    /// It has not said anything: its script is on its way.
    Silent,
    /// Its interpreter loads.
    Loading,
    /// Its interpreter is ready.
    Done,
}

/// Whether the program of a worker runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// Somebody waits for it to begin.
    NotYet,
    /// Its first line has run.
    Running,
}

impl Workers {
    /// Which process a worker works for.
    pub fn process(&self, worker: WorkerId) -> Option<ProcessId> {
        self.staff
            .iter()
            .find(|known| known.id == worker)
            .and_then(|known| known.process)
    }

    /// Which worker works for a process.
    pub fn worker(&self, process: ProcessId) -> Option<WorkerId> {
        self.staff
            .iter()
            .find(|known| known.process == Some(process))
            .map(|known| known.id)
    }

    /// Takes an event and says what has to be done, in order.
    pub fn apply(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::CacheFound => self.spare = Spare::Wanted,
            Event::Wanted(process) => {
                self.spare = Spare::Wanted;
                self.queue.push_back(process);
            }
            Event::Withdrawn(process) => self.queue.retain(|waiting| *waiting != process),
            Event::Spoke(worker) => self.change(worker, |known| known.boot = Boot::Loading),
            Event::Booted(worker) => self.change(worker, |known| known.boot = Boot::Done),
            Event::Started(worker) => self.change(worker, |known| known.begun = Begun::Running),
            Event::EngineKept(_) => self.engine = Engine::Known,
            Event::Gone(worker) => self.gone(worker),
            Event::RelayLost => return self.give_up_spare(),
        }
        self.settle()
    }

    /// Says whether a worker lives that has not said anything yet.
    pub fn is_silent(&self, worker: WorkerId) -> bool {
        self.staff
            .iter()
            .any(|known| known.id == worker && known.boot == Boot::Silent)
    }

    /// Gives up a spare that still boots. The next one is booted when somebody runs something: there may be no relay
    /// to load it from now.
    fn give_up_spare(&mut self) -> Vec<Effect> {
        let booting = |known: &&Worker| known.process.is_none() && known.boot != Boot::Done;
        let Some(spare) = self.staff.iter().find(booting).map(|known| known.id) else {
            return Vec::new();
        };
        self.gone(spare);
        vec![Effect::Dismiss(spare)]
    }

    fn change(&mut self, worker: WorkerId, change: impl FnOnce(&mut Worker)) {
        if let Some(known) = self.staff.iter_mut().find(|known| known.id == worker) {
            change(known);
        }
    }

    fn gone(&mut self, worker: WorkerId) {
        let Some(at) = self.staff.iter().position(|known| known.id == worker) else {
            return;
        };
        let known = self.staff.remove(at);
        if self.engine == Engine::Coming(worker) {
            self.engine = Engine::Unknown;
        }
        if known.process.is_none() {
            // A spare that broke down would break down again: wait until somebody runs something.
            self.spare = Spare::Unwanted;
        }
    }

    /// Gives workers to those who wait, as far as the rules allow.
    fn settle(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(process) = self.queue.front().copied() {
            let Some(worker) = self.spare().or_else(|| self.boot(&mut effects)) else {
                return effects;
            };
            self.queue.pop_front();
            let mut readiness = Readiness::Booting;
            self.change(worker, |known| {
                known.process = Some(process);
                if known.boot == Boot::Done {
                    readiness = Readiness::Booted;
                }
            });
            effects.push(Effect::Assign {
                worker,
                process,
                readiness,
            });
        }
        let quiet = self
            .staff
            .iter()
            .all(|known| known.process.is_none() || known.begun == Begun::Running);
        if self.spare == Spare::Wanted && quiet && self.spare().is_none() {
            self.boot(&mut effects);
        }
        effects
    }

    fn spare(&self) -> Option<WorkerId> {
        self.staff
            .iter()
            .find(|known| known.process.is_none())
            .map(|known| known.id)
    }

    /// Boots one more worker, unless the engine is still on its way.
    fn boot(&mut self, effects: &mut Vec<Effect>) -> Option<WorkerId> {
        let worker = WorkerId(self.next_id);
        let engine = match self.engine {
            Engine::Coming(_) => return None,
            Engine::Known => EngineSource::Handed,
            Engine::Unknown => {
                self.engine = Engine::Coming(worker);
                EngineSource::Own
            }
        };
        self.next_id += 1;
        self.staff.push(Worker {
            id: worker,
            process: None,
            boot: Boot::Silent,
            begun: Begun::NotYet,
        });
        effects.push(Effect::Boot { worker, engine });
        Some(worker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: ProcessId = ProcessId(1);
    const CLIENT: ProcessId = ProcessId(2);
    const OTHER: ProcessId = ProcessId(3);

    fn boot(worker: u32, engine: EngineSource) -> Effect {
        Effect::Boot {
            worker: WorkerId(worker),
            engine,
        }
    }

    fn assign(worker: u32, process: ProcessId, readiness: Readiness) -> Effect {
        Effect::Assign {
            worker: WorkerId(worker),
            process,
            readiness,
        }
    }

    #[test]
    fn nothing_boots_on_a_first_visit() {
        let mut workers = Workers::default();
        assert_eq!(workers.apply(Event::Withdrawn(SERVER)), []);
    }

    #[test]
    fn the_first_boot_is_alone_and_the_others_wait_for_its_engine() {
        let mut workers = Workers::default();
        let first = [
            boot(0, EngineSource::Own),
            assign(0, SERVER, Readiness::Booting),
        ];
        assert_eq!(workers.apply(Event::Wanted(SERVER)), first);
        assert_eq!(workers.apply(Event::Wanted(CLIENT)), []);
        assert_eq!(workers.apply(Event::Booted(WorkerId(0))), []);
        assert_eq!(workers.apply(Event::Started(WorkerId(0))), []);
        let second = [
            boot(1, EngineSource::Handed),
            assign(1, CLIENT, Readiness::Booting),
        ];
        assert_eq!(workers.apply(Event::EngineKept(WorkerId(0))), second);
        assert_eq!(workers.apply(Event::Booted(WorkerId(1))), []);
        assert_eq!(
            workers.apply(Event::Started(WorkerId(1))),
            [boot(2, EngineSource::Handed)]
        );
        assert_eq!(
            (workers.worker(CLIENT), workers.process(WorkerId(0))),
            (Some(WorkerId(1)), Some(SERVER))
        );
    }

    #[test]
    fn a_cached_engine_boots_a_spare_which_the_first_run_takes() {
        let mut workers = Workers::default();
        assert_eq!(
            workers.apply(Event::CacheFound),
            [boot(0, EngineSource::Own)]
        );
        assert_eq!(workers.apply(Event::Booted(WorkerId(0))), []);
        assert_eq!(workers.apply(Event::EngineKept(WorkerId(0))), []);
        assert_eq!(
            workers.apply(Event::Wanted(SERVER)),
            [assign(0, SERVER, Readiness::Booted)]
        );
        assert_eq!(
            workers.apply(Event::Started(WorkerId(0))),
            [boot(1, EngineSource::Handed)]
        );
    }

    #[test]
    fn a_spare_that_still_boots_is_taken_too() {
        let mut workers = Workers::default();
        workers.apply(Event::CacheFound);
        assert_eq!(
            workers.apply(Event::Wanted(SERVER)),
            [assign(0, SERVER, Readiness::Booting)]
        );
        assert_eq!(workers.apply(Event::Wanted(CLIENT)), []);
    }

    #[test]
    fn when_the_first_boot_fails_the_next_in_line_boots_itself() {
        let mut workers = Workers::default();
        workers.apply(Event::Wanted(SERVER));
        workers.apply(Event::Wanted(CLIENT));
        let next = [
            boot(1, EngineSource::Own),
            assign(1, CLIENT, Readiness::Booting),
        ];
        assert_eq!(workers.apply(Event::Gone(WorkerId(0))), next);
    }

    #[test]
    fn who_withdraws_gets_no_worker() {
        let mut workers = Workers::default();
        for process in [SERVER, CLIENT, OTHER] {
            workers.apply(Event::Wanted(process));
        }
        workers.apply(Event::Withdrawn(CLIENT));
        let effects = workers.apply(Event::EngineKept(WorkerId(0)));
        assert_eq!(
            effects,
            [
                boot(1, EngineSource::Handed),
                assign(1, OTHER, Readiness::Booting)
            ]
        );
    }

    #[test]
    fn a_broken_spare_is_not_booted_again_until_somebody_runs_something() {
        let mut workers = Workers::default();
        workers.apply(Event::CacheFound);
        assert_eq!(workers.apply(Event::Gone(WorkerId(0))), []);
        let effects = workers.apply(Event::Wanted(SERVER));
        assert_eq!(
            effects,
            [
                boot(1, EngineSource::Own),
                assign(1, SERVER, Readiness::Booting)
            ]
        );
    }

    #[test]
    fn a_spare_that_still_boots_is_given_up_with_the_relay() {
        let mut workers = Workers::default();
        workers.apply(Event::Wanted(SERVER));
        workers.apply(Event::Spoke(WorkerId(0)));
        workers.apply(Event::EngineKept(WorkerId(0)));
        workers.apply(Event::Started(WorkerId(0)));
        assert!(workers.is_silent(WorkerId(1)));
        assert_eq!(
            workers.apply(Event::RelayLost),
            [Effect::Dismiss(WorkerId(1))]
        );
        assert!(!workers.is_silent(WorkerId(1)));
        assert_eq!(workers.apply(Event::Gone(WorkerId(0))), []);
        let again = [
            boot(2, EngineSource::Handed),
            assign(2, SERVER, Readiness::Booting),
        ];
        assert_eq!(workers.apply(Event::Wanted(SERVER)), again);
    }

    #[test]
    fn a_warm_spare_outlives_the_relay() {
        let mut workers = Workers::default();
        workers.apply(Event::CacheFound);
        workers.apply(Event::Booted(WorkerId(0)));
        assert_eq!(workers.apply(Event::RelayLost), []);
        assert_eq!(
            workers.apply(Event::Wanted(SERVER)),
            [assign(0, SERVER, Readiness::Booted)]
        );
    }

    #[test]
    fn there_is_never_more_than_one_spare() {
        let mut workers = Workers::default();
        workers.apply(Event::Wanted(SERVER));
        workers.apply(Event::EngineKept(WorkerId(0)));
        assert_eq!(
            workers.apply(Event::Started(WorkerId(0))),
            [boot(1, EngineSource::Handed)]
        );
        assert_eq!(workers.apply(Event::Booted(WorkerId(1))), []);
        assert_eq!(workers.apply(Event::Gone(WorkerId(0))), []);
    }
}
