//! The whole role over loopback, from assignment to closed records.

use std::{collections::BTreeSet, time::Duration};

use super::*;
use crate::{
    live::{
        clock::Epoch,
        control::{Assignment, EndpointAddress},
    },
    record::{Record, read_dir},
    wire,
};
use testing::{Manner, TestReceiver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn assignment(plan: Plan, dir: &std::path::Path, endpoints: Vec<EndpointAddress>) -> Assignment {
    Assignment {
        plan,
        part: Part::Provider { provider: 0, endpoints, capture: None, control: None },
        records: dir.join("provider.records"),
        stores: dir.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        admin: None,
        incarnation: 0,
        crashes_left: 0,
        epoch: None,
        pull_api: None,
    }
}

/// One page, by hand.
async fn poll(address: SocketAddr, cursor: &str) -> wire::Page {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /events?cursor={cursor} HTTP/1.1\r\nhost: x\r\nconnection: close\r\npushpull-consumer: poll\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    wire::parse_page(&answer[body..]).unwrap()
}

#[tokio::test]
async fn one_stream_of_events_is_served_both_ways_and_the_books_close() {
    let mut plan = testing::plan(testing::webhook_consumer(2));
    plan.consumers.push(testing::polling_consumer(1));
    let receiver = TestReceiver::start(|_| Manner::Answer(200)).await;
    let endpoints = (0..2)
        .map(|client| EndpointAddress {
            consumer: 0,
            client,
            url: format!("http://{}/hooks/{client}", receiver.address),
            secret: testing::secret().reveal(),
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let (stop, stop_signal) = watch::channel(false);
    let role =
        Role::standalone(assignment(plan, dir.path(), endpoints), Epoch::ahead(Duration::ZERO), stop_signal).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let provider = tokio::spawn(run_on(role, listener, address));

    // 1,000/s for 50 ms, the end excluded.
    let (mut pushed, mut polled, mut cursor) = (BTreeSet::new(), Vec::new(), "0".to_owned());
    let mut seen = receiver.seen;
    while pushed.len() < 49 {
        pushed.insert(seen.recv().await.unwrap().id);
    }
    while polled.len() < 49 {
        let page = poll(address, &cursor).await;
        polled.extend(page.events.into_iter().map(|event| event.id));
        cursor = page.next_cursor;
    }
    assert_eq!(polled, pushed.into_iter().collect::<Vec<_>>());
    stop.send(true).unwrap();
    provider.await.unwrap().unwrap();

    let (mut emitted, mut acked, mut bytes) = (0, BTreeSet::new(), Vec::new());
    read_dir(dir.path(), |record| match record {
        Record::Emitted { event, .. } => {
            emitted += 1;
            assert_eq!(event.seq, emitted);
        }
        Record::Attempt(attempt) if attempt.outcome.is_ack() => {
            assert_eq!(attempt.number, 1);
            acked.insert(attempt.what.seq);
        }
        Record::Bytes { consumer, up, down, requests } => bytes.push((consumer, up > 0 && down > 0, requests)),
        other => panic!("{other:?}"),
    })
    .unwrap();
    assert_eq!((emitted, acked.len()), (49, 49));
    let polls = bytes[1].2;
    assert!(polls >= 5);
    assert_eq!(bytes, [(0, true, 49), (1, true, polls)]);
}

#[tokio::test]
async fn a_webhook_client_without_an_endpoint_is_refused_before_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let (_stop, stop_signal) = watch::channel(false);
    let plan = testing::plan(testing::webhook_consumer(1));
    let role =
        Role::standalone(assignment(plan, dir.path(), Vec::new()), Epoch::ahead(Duration::ZERO), stop_signal).unwrap();
    let error = run(role).await.unwrap_err().to_string();
    assert!(error.contains("client 0 of consumer 'webhook' has no endpoint"), "{error}");
}
