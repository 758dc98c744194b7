//! UDP loses what the link loses, and the same again with the same seed.

use std::num::NonZeroU32;

use super::lab;

/// Begins when bob is ready, which it hears by TCP: that has sequences of its own.
const CLIENT: &str = "
while True:
    with socket.socket() as waiting:
        if waiting.connect_ex(('10.0.0.2', 5000)) == 0:
            break
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.connect(('10.0.0.2', 5000))
    for number in range(100):
        s.send(b'%d' % number)
    # Asks for an answer until there is one.
    s.settimeout(0.1)
    while True:
        try:
            s.send(b'end')
            s.recv(10)
            break
        except (TimeoutError, ConnectionRefusedError):
            pass
";

const SERVER: &str = "
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, socket.socket() as ready:
    s.bind(('0.0.0.0', 5000))
    ready.bind(('0.0.0.0', 5000))
    ready.listen()
    seen = []
    while True:
        data, client = s.recvfrom(10)
        if data == b'end':
            s.sendto(b'bye', client)
            break
        seen.append(int(data))
    print(*seen)
";

/// The numbers of the datagrams that arrived.
fn arrived(seed: u32, server_first: &str) -> Vec<u32> {
    let seed = NonZeroU32::new(seed).unwrap();
    let conditions = lab::sends(r#""loss":0.3,"reorder":0.1"#, seed);
    let client = format!("{server_first}{CLIENT}");
    let remains = lab::run([&conditions, "{}"], [&client, SERVER]);
    let lost = remains.counts[0].from_host.lost;
    let seen: Vec<u32> = remains.printed[1]
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    assert!(
        100 - seen.len() as u64 <= lost,
        "what is missing was lost by the link"
    );
    seen
}

#[test]
fn the_same_datagrams_are_lost_and_overtaken_with_the_same_seed() {
    let first = arrived(7, "");
    assert!(
        (50..90).contains(&first.len()),
        "about 70 of 100 arrive: {first:?}"
    );
    assert!(!first.is_sorted(), "some overtake others: {first:?}");
    assert_eq!(arrived(7, ""), first);
    // Other traffic of the same host does not count.
    let ping = "
with socket.socket() as other:
    other.settimeout(0.01)
    other.connect_ex(('10.0.0.2', 1))
";
    assert_eq!(arrived(7, ping), first);
    assert_ne!(arrived(8, ""), first);
}
