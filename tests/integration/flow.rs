//! Flow control: who does not read makes the other side wait, and nothing piles up on the way.

use std::fs;

use protocol::limits::{INITIAL_CREDIT, MAX_WINDOW};
use protocol::{Shutdown, SocketId};
use tests::Client;

use crate::pattern::pattern;
use crate::relay;

/// How many answers without new credit mean that there will be none.
const PATIENCE: u32 = 50;

/// Sends until the relay grants no more, and returns how much that was.
pub(crate) async fn fill(client: &mut Client, socket: SocketId, bytes: &[u8]) -> usize {
    let mut sent = 0;
    let mut in_vain = 0;
    while in_vain < PATIENCE {
        let more = client.offer(socket, &bytes[sent..]).unwrap();
        in_vain = if more == 0 { in_vain + 1 } else { 0 };
        sent += more;
        assert!(sent < bytes.len(), "the relay takes everything");
        client.sync().await;
    }
    sent
}

/// The most that the kernel keeps for one direction of a connection: tcp(7), the third values.
fn kernel_buffers() -> usize {
    ["tcp_rmem", "tcp_wmem"]
        .map(|name| {
            let text = fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap();
            let most = text.split_whitespace().nth(2).unwrap();
            most.parse::<usize>().unwrap()
        })
        .iter()
        .sum()
}

#[tokio::test]
async fn who_reads_nothing_stops_the_writer() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut reader = Client::join(&relay, &lab).await;
    let mut writer = Client::join(&relay, &lab).await;
    let listener = reader.listener(8888).await;
    let connection = writer.connected(8888).await;
    let accepted = reader.accept(listener).await;

    // What the reader's credit, the kernel and the writer's window can hold, and not a byte more.
    let bound = kernel_buffers() + usize::try_from(INITIAL_CREDIT + 2 * MAX_WINDOW).unwrap();
    let bytes = pattern(bound + 1);
    let sent = fill(&mut writer, connection, &bytes).await;
    let to_reader = relay.metrics().bytes_received();
    assert!(
        to_reader <= INITIAL_CREDIT as f64,
        "{to_reader} bytes went to the reader"
    );
    let taken = relay.metrics().bytes_sent();
    assert!(
        taken <= bound as f64,
        "the relay took {taken} of at most {bound} bytes"
    );

    let finish = async {
        writer.send(connection, &bytes[sent..]).await.unwrap();
        writer.shutdown(connection, Shutdown::Write);
        writer.flush();
    };
    let (received, ()) = tokio::join!(reader.recv_to_the_end(accepted), finish);
    assert!(received.unwrap() == bytes, "what arrived differs");
}

#[tokio::test]
async fn a_stalled_socket_delays_no_other() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut reader = Client::join(&relay, &lab).await;
    let mut writer = Client::join(&relay, &lab).await;
    let listener = reader.listener(8888).await;
    let stalled = writer.connected(8888).await;
    reader.accept(listener).await;
    let lively = writer.connected(8888).await;
    let accepted = reader.accept(listener).await;
    let bytes = pattern(kernel_buffers() + usize::try_from(4 * MAX_WINDOW).unwrap());
    fill(&mut writer, stalled, &bytes).await;

    for round in 0..100_u8 {
        writer.send(lively, &[round; 1000]).await.unwrap();
        assert_eq!(
            reader.recv_exactly(accepted, 1000).await.unwrap(),
            [round; 1000]
        );
        reader.send(accepted, &[round]).await.unwrap();
        assert_eq!(writer.recv(lively, 10).await.unwrap(), [round]);
    }
}

#[tokio::test]
async fn many_streams_share_one_process() {
    let relay = relay().await;
    let lab = relay.lab();
    let mut server = Client::join(&relay, &lab).await;
    let mut client = Client::join(&relay, &lab).await;
    let listener = server.listener(8888).await;
    let bytes = pattern(1 << 20);
    let mut pairs = Vec::new();
    for _ in 0..16 {
        let connection = client.connected(8888).await;
        pairs.push((connection, server.accept(listener).await));
    }
    let send = async {
        let mut sent = vec![0; pairs.len()];
        while sent.iter().any(|sent| *sent < bytes.len()) {
            for (index, (connection, _)) in pairs.iter().enumerate() {
                sent[index] += client.offer(*connection, &bytes[sent[index]..]).unwrap();
            }
            client.sync().await;
        }
    };
    let receive = async {
        for (_, accepted) in &pairs {
            let received = server.recv_exactly(*accepted, bytes.len()).await.unwrap();
            assert!(received == bytes);
        }
    };
    tokio::join!(send, receive);
}
