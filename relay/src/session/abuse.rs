//! Whatever several processes ask for, in whatever order and however it is cut: nothing panics, every call is answered
//! once, what one lab sends never comes to another, and nothing is left.
//!
//! A case that fails is kept in `proptest-regressions` and is tried first from then on.

mod actor;
mod deed;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use protocol::{HostName, LabId};
use tokio::runtime::{Builder, Runtime};

use self::actor::{Actor, Cuts};
use self::deed::deed;
use crate::client::Client;
use crate::config::NetworkKind;
use crate::lab::{Labs, Quotas};
use crate::metrics::Metrics;
use crate::network;

/// The lab and the host of each process: two on one host, one beside them, and one in a lab of its own.
const PROCESSES: [(u8, &str); 4] = [(1, "desk"), (1, "desk"), (1, "bob"), (2, "desk")];

fn actors(runtime: &Runtime, metrics: &Metrics) -> Vec<Actor> {
    let quotas = Quotas {
        labs: 2,
        hosts: 2,
        processes: 3,
        labs_per_client: 2,
        viewers: 1,
        events: 1,
        buffer: 1 << 30,
        life: Duration::ZERO,
        grace: Duration::ZERO,
    };
    let client = Client::from(IpAddr::from([192, 0, 2, 1]));
    let network = network::make(NetworkKind::Portable).unwrap();
    let labs = Arc::new(Labs::new(network, quotas, metrics.clone()));
    let actor = |(mark, host): (u8, &str)| {
        let lab = LabId::new(format!("abcdefghijklmno{mark}")).unwrap();
        let host = HostName::new(host).unwrap();
        let membership = runtime.block_on(labs.join(&lab, &host, client)).unwrap();
        Actor::new(membership, metrics.clone(), mark)
    };
    PROCESSES.into_iter().map(actor).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_call_is_answered_once_whatever_is_asked(
        deeds in prop::collection::vec((0..PROCESSES.len(), deed(), any::<Cuts>()), 1..120),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let metrics = Metrics::default();
        let mut actors = actors(&runtime, &metrics);
        let _entered = runtime.enter();
        for (who, deed, cuts) in deeds {
            actors[who].act(deed, &cuts);
            // What one does wakes others.
            for actor in &mut actors {
                actor.attend();
            }
        }
        for actor in actors {
            prop_assert_eq!(actor.end(), Ok(()));
        }
        let counts = metrics.render();
        for left in ["sockets{kind=\"stream\"}", "sockets{kind=\"datagram\"}", "hosts", "labs"] {
            prop_assert!(counts.contains(&format!("socketpad_{left} 0\n")), "{left} are left");
        }
    }
}
