//! TCP through a bad link is slow and complete.

use std::num::NonZeroU32;

use relay::capture::record::{Outcome, What};

use super::lab::{self, Remains};

/// Sends 256 KiB and prints how long it took, in milliseconds, and how often it sent again: `tcpi_total_retrans` of
/// `struct tcp_info` (linux/tcp.h).
pub(super) const CLIENT: &str = "
import time
start = time.monotonic()
while True:
    s = socket.socket()
    if s.connect_ex(('10.0.0.2', 5000)) == 0:
        break
    s.close()
s.sendall(bytes(range(256)) * 1024)
s.shutdown(socket.SHUT_WR)
assert s.recv(10) == b'thanks'
took = time.monotonic() - start
info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
print(int(took * 1000), struct.unpack_from('=I', info, 100)[0])
assert s.recv(10) == b''
";

/// Takes everything, compares it and says thanks.
pub(super) const SERVER: &str = "
with socket.socket() as listener:
    listener.bind(('0.0.0.0', 5000))
    listener.listen()
    s, _ = listener.accept()
    data = b''
    while chunk := s.recv(65536):
        data += chunk
    assert data == bytes(range(256)) * 1024
    s.sendall(b'thanks')
    s.shutdown(socket.SHUT_WR)
    # Whoever closes last has the last word.
    s.settimeout(30)
    print('complete')
";

/// Milliseconds and retransmissions of a transfer.
fn transfer(conditions: &str) -> (u64, u64, Remains) {
    let remains = lab::run([conditions, "{}"], [CLIENT, SERVER]);
    assert_eq!(remains.printed[1], "complete\n");
    let figures: Vec<u64> = remains.printed[0]
        .split_whitespace()
        .map(|figure| figure.parse().unwrap())
        .collect();
    (figures[0], figures[1], remains)
}

#[test]
fn a_bulk_transfer_through_loss_and_latency_slows_and_retransmits() {
    let (quick, _, perfect) = transfer("{}");
    assert_eq!(perfect.counts[0].from_host.lost, 0);
    let bad = lab::sends(
        r#""loss":0.05,"latency_us":50000"#,
        NonZeroU32::new(3).unwrap(),
    );
    let (slow, again, remains) = transfer(&bad);
    println!("perfect: {quick} ms; 5 % loss and 50 ms: {slow} ms, {again} retransmissions");
    // Three round trips at least: the handshake, and 256 KiB in windows that begin with ten segments.
    assert!(
        150 <= slow && quick < slow,
        "{quick} ms, and {slow} ms through the bad link"
    );
    let lost = remains.counts[0].from_host.lost;
    assert!(
        0 < lost && 0 < again,
        "{lost} frames were lost and {again} sent again"
    );
    let recorded = remains.snapshot.records.iter().filter(|record| {
        matches!(
            record.what,
            What::Fate {
                outcome: Outcome::Lost,
                ..
            }
        )
    });
    assert_eq!(recorded.count() as u64, lost);
}

#[test]
fn a_rate_is_what_a_transfer_gets() {
    let narrow = r#"{"from_host":{"rate":200000}}"#;
    let (slow, _, remains) = transfer(narrow);
    println!("200 kB/s: {slow} ms");
    // 256 KiB of payload at 200 kB/s.
    assert!(1310 <= slow, "{slow} ms");
    assert!(0 < remains.counts[0].from_host.queue_full + remains.counts[0].from_host.passed_frames);
}

#[test]
fn corrupted_segments_are_noticed_and_sent_again() {
    let bad = lab::sends(r#""corrupt":0.05"#, NonZeroU32::new(3).unwrap());
    let (_, again, remains) = transfer(&bad);
    let corrupted = remains.counts[0].from_host.corrupted;
    assert!(
        0 < corrupted && 0 < again,
        "{corrupted} frames were corrupted and {again} sent again"
    );
}
