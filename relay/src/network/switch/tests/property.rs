//! What holds whatever is sent and whatever the conditions are.

use proptest::prelude::*;

use super::super::conditions::{Delay, LineConditions, QueueSize, Rate, Share};
use super::*;

const HOSTS: usize = 3;

/// Something that happens in a lab.
#[derive(Clone, Debug)]
enum Step {
    Send {
        from: usize,
        to: usize,
        length: usize,
    },
    Wait {
        micros: u64,
    },
    Set {
        host: usize,
        conditions: Conditions,
    },
}

fn send() -> impl Strategy<Value = Step> {
    (0..HOSTS, 1..HOSTS, 0usize..1500).prop_map(|(from, further, length)| Step::Send {
        from,
        to: (from + further) % HOSTS,
        length,
    })
}

fn wait() -> impl Strategy<Value = Step> {
    (0u64..30_000).prop_map(|micros| Step::Wait { micros })
}

fn share() -> impl Strategy<Value = Share> {
    prop_oneof![
        Just(Share::NONE),
        (0.0..=1.0).prop_map(|share| Share::new(share).unwrap())
    ]
}

fn delay() -> impl Strategy<Value = Delay> {
    prop_oneof![
        Just(Delay::NONE),
        (0u32..100_000).prop_map(|micros| Delay::try_from(micros).unwrap())
    ]
}

fn line() -> impl Strategy<Value = LineConditions> {
    let rate = prop::option::of(
        (1000u32..10_000_000).prop_map(|bytes| Rate::new(bytes.try_into().unwrap())),
    );
    let queue = (0u32..10_000).prop_map(|bytes| QueueSize::try_from(bytes).unwrap());
    (
        [delay(), delay()],
        [share(), share(), share(), share()],
        rate,
        queue,
    )
        .prop_map(
            |([latency_us, jitter_us], [loss, duplicate, reorder, corrupt], rate, queue_bytes)| {
                LineConditions {
                    latency_us,
                    jitter_us,
                    loss,
                    duplicate,
                    reorder,
                    corrupt,
                    rate,
                    queue_bytes,
                }
            },
        )
}

fn set() -> impl Strategy<Value = Step> {
    let cable = prop_oneof![4 => Just(Cable::Up), 1 => Just(Cable::Down)];
    (0..HOSTS, cable, prop::option::of(0u32..3), line(), line()).prop_map(
        |(host, cable, seed, from_host, to_host)| Step::Set {
            host,
            conditions: Conditions {
                cable,
                seed,
                from_host,
                to_host,
            },
        },
    )
}

/// The payload says who sent it and as which, so that frames can be told apart.
fn numbered(from: usize, receiver: usize, number: u32, length: usize) -> Vec<u8> {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(4 + length, 0);
    to(mac(receiver), from, &payload)
}

fn number(frame: &[u8]) -> u32 {
    u32::from_be_bytes(frame[14..18].try_into().unwrap())
}

/// A lab in which every host has been heard, so that nothing is flooded.
fn acquainted() -> Lab {
    let mut lab = Lab::new(HOSTS);
    for host in 0..HOSTS {
        lab.send(host, &to(EVERYONE, host, b"here"));
    }
    lab.out.clear();
    lab
}

fn play(lab: &mut Lab, steps: &[Step]) -> u32 {
    let mut sent = 0;
    for step in steps {
        match step {
            Step::Send { from, to, length } => {
                lab.send(*from, &numbered(*from, *to, sent, *length));
                sent += 1;
            }
            Step::Wait { micros } => lab.run_until(lab.now + Duration::from_micros(*micros)),
            Step::Set { host, conditions } => {
                lab.switch.set(lab.now, lab.ports[*host], conditions);
            }
        }
    }
    sent
}

fn sender(frame: &[u8]) -> u8 {
    frame[11]
}

proptest! {
    #[test]
    fn perfect_links_deliver_everything_once_in_order_and_at_once(steps in prop::collection::vec(send(), 0..200)) {
        let mut lab = acquainted();
        let sent = play(&mut lab, &steps);
        let seen: Vec<u32> = lab.out.iter().map(|(_, frame)| number(frame)).collect();
        prop_assert_eq!(seen, (0..sent).collect::<Vec<u32>>());
        for ((host, frame), step) in lab.out.iter().zip(&steps) {
            let Step::Send { to, length, .. } = step else { unreachable!() };
            prop_assert_eq!((*host, frame.len()), (*to, 18 + length));
        }
        prop_assert_eq!(lab.switch.next_due(), None);
    }

    #[test]
    fn every_frame_is_accounted_for_and_no_room_is_lost(
        steps in prop::collection::vec(prop_oneof![6 => send(), 3 => wait(), 1 => set()], 0..200),
    ) {
        let mut lab = acquainted();
        let before: u64 = lab.ports.iter().map(|port| lab.switch.counts(*port).unwrap().to_host.passed_frames).sum();
        play(&mut lab, &steps);
        let mut bound = 0;
        while let Some(due) = lab.switch.next_due() {
            lab.run_until(due.max(lab.now));
            bound += 1;
            prop_assert!(bound < 100_000, "it comes to an end");
        }
        let mut passed = 0;
        for port in &lab.ports {
            let counts = lab.switch.counts(*port).unwrap();
            for line in [counts.from_host, counts.to_host] {
                let gone = line.lost + line.queue_full + line.crowded + line.cable_down + line.refused;
                prop_assert_eq!(line.frames + line.doubled, line.passed_frames + gone);
            }
            passed += counts.to_host.passed_frames;
        }
        prop_assert_eq!(passed - before, lab.out.len() as u64);
        prop_assert!(lab.switch.room.is_all_there());
    }

    #[test]
    fn only_reordering_lets_frames_overtake_each_other(
        steps in prop::collection::vec(prop_oneof![6 => send(), 3 => wait(), 1 => set()], 0..200),
    ) {
        let steps: Vec<Step> = steps
            .into_iter()
            .map(|step| match step {
                Step::Set { host, mut conditions } => {
                    conditions.from_host.reorder = Share::NONE;
                    conditions.to_host.reorder = Share::NONE;
                    // A wrong bit could be in the number.
                    conditions.from_host.corrupt = Share::NONE;
                    conditions.to_host.corrupt = Share::NONE;
                    Step::Set { host, conditions }
                }
                other => other,
            })
            .collect();
        let mut lab = acquainted();
        play(&mut lab, &steps);
        lab.run_until(lab.now + Duration::from_secs(3600));
        for receiver in 0..HOSTS {
            for from in 0..HOSTS {
                let flow: Vec<u32> = lab.out
                    .iter()
                    .filter(|(host, frame)| *host == receiver && usize::from(sender(frame)) == from)
                    .map(|(_, frame)| number(frame))
                    .collect();
                prop_assert!(flow.is_sorted(), "{:?}", flow);
            }
        }
    }

    #[test]
    fn no_more_than_the_rate_comes_out(
        frames in prop::collection::vec((0usize..1500, 0u64..5_000), 1..200),
        rate in 10_000u32..1_000_000,
    ) {
        let mut lab = acquainted();
        let mut conditions = Conditions::default();
        conditions.to_host.rate = Some(Rate::new(rate.try_into().unwrap()));
        lab.switch.set(lab.now, lab.ports[1], &conditions);
        let start = lab.now;
        let mut heard = 0usize;
        let mut checked = 0;
        for (length, micros) in frames {
            lab.send(0, &numbered(0, 1, 0, length));
            lab.run_until(lab.now + Duration::from_micros(micros));
            heard += lab.out[checked..].iter().map(|(_, frame)| frame.len()).sum::<usize>();
            checked = lab.out.len();
            let elapsed = lab.now.duration_since(start).as_micros();
            prop_assert!(heard as u128 * 1_000_000 <= elapsed * u128::from(rate));
        }
        let counts = lab.switch.counts(lab.ports[1]).unwrap().to_host;
        let dropped = counts.queue_full;
        lab.run_until(lab.now + Duration::from_secs(3600));
        let counts = lab.switch.counts(lab.ports[1]).unwrap().to_host;
        prop_assert_eq!(counts.queue_full, dropped);
        prop_assert_eq!(counts.frames, counts.passed_frames + dropped);
    }

    #[test]
    fn chance_happens_again_whatever_others_do_and_however_long_it_takes(
        lengths in prop::collection::vec(0usize..1500, 1..60),
        chance in line(),
        seed in any::<u32>(),
        others in prop::collection::vec((1usize..HOSTS, 0u64..2_400), 60),
    ) {
        let chance = LineConditions { rate: None, jitter_us: Delay::NONE, ..chance };
        let conditions = Conditions {
            seed: Some(seed),
            from_host: chance,
            to_host: chance,
            ..Conditions::default()
        };
        let run = |others: &[(usize, u64)]| {
            let mut lab = acquainted();
            for host in 0..HOSTS {
                lab.switch.set(lab.now, lab.ports[host], &conditions);
            }
            for (index, length) in lengths.iter().enumerate() {
                let number = u32::try_from(index).unwrap();
                lab.send(0, &numbered(0, 1, number, *length));
                if let Some((from, micros)) = others.get(index) {
                    lab.send(*from, &numbered(*from, 1 - from % 2, 0, 10));
                    lab.send(2, &to(EVERYONE, 2, b"everybody"));
                    lab.run_until(lab.now + Duration::from_micros(*micros));
                }
            }
            lab.run_until(lab.now + Duration::from_secs(60));
            let of_flow = |(host, frame): &(usize, Vec<u8>)| *host == 1 && sender(frame) == 0;
            lab.out.into_iter().filter(of_flow).map(|(_, frame)| frame).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(&[]), run(&others));
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let mut lab = acquainted();
    let slow: Conditions = serde_json::from_str(r#"{"to_host":{"latency_us":10000000}}"#).unwrap();
    lab.switch.set(lab.now, lab.ports[1], &slow);
    for number in 0..10_000 {
        lab.send(0, &numbered(0, 1, number, 1482));
    }
    let counts = lab.switch.counts(lab.ports[1]).unwrap().to_host;
    // 8 MiB, in frames of 1500 bytes that cost 128 bytes more.
    let kept = (8 << 20) / (1500 + 128);
    assert_eq!(counts.crowded, 10_000 - kept);
    lab.run_until(lab.now + Duration::from_secs(10));
    assert_eq!(lab.out.len() as u64, kept);
    assert!(lab.switch.room.is_all_there());
}

#[test]
fn a_queue_drops_its_tail() {
    let mut lab = acquainted();
    let narrow: Conditions =
        serde_json::from_str(r#"{"to_host":{"rate":1000,"queue_bytes":250}}"#).unwrap();
    lab.switch.set(lab.now, lab.ports[1], &narrow);
    for number in 0..6 {
        lab.send(0, &numbered(0, 1, number, 82));
    }
    // One is on the line and two wait, each 100 bytes, which take 100 ms.
    lab.run_until(lab.now + Duration::from_millis(299));
    let seen: Vec<u32> = lab.out.iter().map(|(_, frame)| number(frame)).collect();
    assert_eq!(seen, [0, 1]);
    // A faster line sends what still waits, and new frames behind it.
    lab.send(0, &numbered(0, 1, 6, 82));
    lab.switch
        .set(lab.now, lab.ports[1], &Conditions::default());
    lab.run_until(lab.now);
    let seen: Vec<u32> = lab.out.iter().map(|(_, frame)| number(frame)).collect();
    assert_eq!(seen, [0, 1, 2, 6]);
    let counts = lab.switch.counts(lab.ports[1]).unwrap().to_host;
    assert_eq!(counts.queue_full, 3);
}

#[test]
fn a_reordered_frame_waits_for_the_next_one_but_not_for_ever() {
    let mut lab = acquainted();
    let swap: Conditions = serde_json::from_str(r#"{"from_host":{"reorder":1}}"#).unwrap();
    lab.switch.set(lab.now, lab.ports[0], &swap);
    for number in 0..5 {
        lab.send(0, &numbered(0, 1, number, 0));
    }
    lab.run_until(lab.now + Duration::from_millis(150));
    let seen: Vec<u32> = lab.out.iter().map(|(_, frame)| number(frame)).collect();
    assert_eq!(seen, [1, 0, 3, 2, 4]);
    assert_eq!(lab.switch.counts(lab.ports[0]).unwrap().from_host.held, 3);
}
