//! Random operations and crashes: a queue against a plain model of it.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Operation {
    Put(u8),
    Take(u8),
    Done,
    Retry,
    Bury,
    Crash,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let one = prop_oneof![
        4 => (1u8..5).prop_map(Operation::Put),
        4 => (1u8..5).prop_map(Operation::Take),
        3 => Just(Operation::Done),
        1 => Just(Operation::Retry),
        1 => Just(Operation::Bury),
        1 => Just(Operation::Crash),
    ];
    proptest::collection::vec(one, 1..40)
}

/// The oracle: what a durable queue holds, in plain collections.
#[derive(Default)]
struct Model {
    /// Every item kept, by its number, in the order put.
    kept: Vec<u32>,
    /// In the order to be taken.
    ready: Vec<u32>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_durable_queue_agrees_with_the_model_through_crashes(operations in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_guard, dir) = scratch();
            let mut queue = open_queue(QueueKind::Sqlite, &dir).unwrap();
            let mut model = Model::default();
            let mut held: Vec<Leased> = Vec::new();
            let mut next = 0u32;
            for operation in operations {
                match operation {
                    Operation::Put(count) => {
                        let items: Vec<Item> = (0..u32::from(count)).map(|i| item(next + i)).collect();
                        queue.put(items).await.unwrap();
                        model.kept.extend(next..next + u32::from(count));
                        model.ready.extend(next..next + u32::from(count));
                        next += u32::from(count);
                    }
                    Operation::Take(max) if !model.ready.is_empty() => {
                        let taken = queue.take(usize::from(max)).await;
                        let expected: Vec<u32> = model.ready.drain(..usize::from(max).min(model.ready.len())).collect();
                        assert_eq!(taken.iter().map(|l| l.item.version).collect::<Vec<_>>(), expected);
                        held.extend(taken);
                    }
                    Operation::Done => if let Some(leased) = held.pop() {
                        model.kept.retain(|n| *n != leased.item.version);
                        queue.done(&[leased.lease]).await.unwrap();
                    },
                    Operation::Retry => if let Some(leased) = held.pop() {
                        model.ready.push(leased.item.version);
                        queue.retry(leased).await.unwrap();
                    },
                    Operation::Bury => if let Some(leased) = held.pop() {
                        model.kept.retain(|n| *n != leased.item.version);
                        queue.bury(leased).await.unwrap();
                    },
                    Operation::Crash => {
                        drop(queue);
                        queue = open_queue(QueueKind::Sqlite, &dir).unwrap();
                        held.clear();
                        model.ready.clone_from(&model.kept);
                    }
                    Operation::Take(_) => {}
                }
            }
            drop(queue);
            let again = open_queue(QueueKind::Sqlite, &dir).unwrap();
            assert_eq!(again.depth(), model.kept.len() as u64);
        });
    }
}
