//! "Run all": every process starts when the one before it is ready for it.
//!
//! Ready means that it listens, waits for others, or has ended; and after [`PATIENCE_MS`] of running the next one
//! starts in any case, so that a client that only computes does not hold up the rest.

use std::collections::VecDeque;

use crate::model::exchange::ProcessId;

/// How long the next process waits for a running one to become ready, in milliseconds.
pub const PATIENCE_MS: u32 = 3_000;

/// What happens to the processes in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The person wants these to run, in this order; those that still run are being stopped.
    RunAll {
        /// Every process, in its order.
        order: Vec<ProcessId>,
        /// Those of them that still run.
        active: Vec<ProcessId>,
    },
    /// The person stopped everything.
    Cancel,
    /// The first line of this process runs.
    Begun(ProcessId),
    /// This process listens or waits.
    Ready(ProcessId),
    /// This process has ended.
    Over(ProcessId),
    /// [`PATIENCE_MS`] are over.
    PatienceOver,
}

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Run this process.
    Run(ProcessId),
    /// Begin counting [`PATIENCE_MS`].
    ArmPatience,
    /// Stop counting.
    DisarmPatience,
}

/// The processes that are still to start.
#[derive(Debug, Clone, Default)]
pub struct Lineup {
    /// Those that have not been started.
    rest: VecDeque<ProcessId>,
    /// Those of an earlier run whose end is awaited before anything starts.
    leaving: Vec<ProcessId>,
    /// The one whose readiness the next one awaits.
    current: Option<ProcessId>,
}

impl Lineup {
    /// Takes an event and says what has to be done, in order.
    pub fn apply(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::RunAll { order, active } => {
                *self = Self {
                    rest: order.into(),
                    leaving: active,
                    current: None,
                };
                let mut effects = vec![Effect::DisarmPatience];
                effects.extend(self.next());
                effects
            }
            Event::Cancel => {
                *self = Self::default();
                vec![Effect::DisarmPatience]
            }
            Event::Begun(process) if self.current == Some(process) && !self.rest.is_empty() => {
                vec![Effect::ArmPatience]
            }
            Event::Over(process) if self.leaving.contains(&process) => {
                self.leaving.retain(|leaving| *leaving != process);
                self.next()
            }
            Event::Ready(process) | Event::Over(process) if self.current == Some(process) => {
                self.advance()
            }
            Event::PatienceOver if self.current.is_some() => self.advance(),
            Event::Begun(_) | Event::Ready(_) | Event::Over(_) | Event::PatienceOver => Vec::new(),
        }
    }

    fn advance(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::DisarmPatience];
        self.current = None;
        effects.extend(self.next());
        effects
    }

    fn next(&mut self) -> Vec<Effect> {
        if !self.leaving.is_empty() {
            return Vec::new();
        }
        self.current = self.rest.pop_front();
        self.current.map(Effect::Run).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: ProcessId = ProcessId(1);
    const CLIENT: ProcessId = ProcessId(2);
    const OTHER: ProcessId = ProcessId(3);

    fn begun(active: &[ProcessId]) -> (Lineup, Vec<Effect>) {
        let mut lineup = Lineup::default();
        let event = Event::RunAll {
            order: vec![SERVER, CLIENT, OTHER],
            active: active.to_vec(),
        };
        let effects = lineup.apply(event);
        (lineup, effects)
    }

    #[test]
    fn each_starts_when_the_one_before_is_ready() {
        let (mut lineup, effects) = begun(&[]);
        assert_eq!(effects, [Effect::DisarmPatience, Effect::Run(SERVER)]);
        assert_eq!(lineup.apply(Event::Begun(SERVER)), [Effect::ArmPatience]);
        assert_eq!(lineup.apply(Event::Ready(CLIENT)), []);
        assert_eq!(
            lineup.apply(Event::Ready(SERVER)),
            [Effect::DisarmPatience, Effect::Run(CLIENT)]
        );
        assert_eq!(lineup.apply(Event::Ready(SERVER)), []);
        assert_eq!(
            lineup.apply(Event::Over(CLIENT)),
            [Effect::DisarmPatience, Effect::Run(OTHER)]
        );
        assert_eq!(lineup.apply(Event::Begun(OTHER)), []);
        assert_eq!(lineup.apply(Event::Over(OTHER)), [Effect::DisarmPatience]);
    }

    #[test]
    fn patience_ends() {
        let (mut lineup, _) = begun(&[]);
        lineup.apply(Event::Begun(SERVER));
        assert_eq!(
            lineup.apply(Event::PatienceOver),
            [Effect::DisarmPatience, Effect::Run(CLIENT)]
        );
    }

    #[test]
    fn nothing_starts_before_the_last_of_the_earlier_run_has_left() {
        let (mut lineup, effects) = begun(&[SERVER, OTHER]);
        assert_eq!(effects, [Effect::DisarmPatience]);
        assert_eq!(lineup.apply(Event::Over(OTHER)), []);
        assert_eq!(lineup.apply(Event::Over(SERVER)), [Effect::Run(SERVER)]);
    }

    #[test]
    fn stopping_everything_cancels_the_rest() {
        let (mut lineup, _) = begun(&[]);
        assert_eq!(lineup.apply(Event::Cancel), [Effect::DisarmPatience]);
        assert_eq!(lineup.apply(Event::Over(SERVER)), []);
        assert_eq!(lineup.apply(Event::PatienceOver), []);
    }
}
