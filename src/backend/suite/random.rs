//! Random operations and crashes: a queue against the model that virtual time works with.

use proptest::prelude::*;

use super::*;
use crate::policy::stores::QueueModel;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_durable_queue_agrees_with_the_model_through_crashes(operations in operations(), suppress: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(agrees(&operations, suppress));
    }
}

async fn agrees(operations: &[Operation], suppress: bool) {
    let (_guard, dir) = scratch();
    let copies = if suppress { Copies::Suppress } else { Copies::Keep };
    let open = || open_queue_with(QueueKind::Sqlite, copies, &dir).unwrap();
    let mut queue = open();
    let mut model: QueueModel<u32, u32> = QueueModel::new(true, suppress);
    let mut held: Vec<(Leased, u64)> = Vec::new();
    let mut next = 0u32;
    for operation in operations {
        match operation {
            Operation::Put(count) => {
                // Every third is a copy of an earlier one.
                let numbers: Vec<u32> =
                    (next..next + u32::from(*count)).map(|n| if n % 3 == 2 { n / 2 } else { n }).collect();
                next += u32::from(*count);
                let kept = queue.put(numbers.iter().map(|n| item(*n)).collect()).await.unwrap();
                let fresh: Vec<bool> = numbers.iter().map(|n| model.put(*n, *n)).collect();
                let copies: Vec<usize> = (0..fresh.len()).filter(|place| !fresh[*place]).collect();
                assert_eq!(kept.copies, copies);
            }
            Operation::Take(max) if model.has_ready() => {
                let taken = queue.take(usize::from(*max)).await;
                let expected: Vec<_> = std::iter::from_fn(|| model.take()).take(usize::from(*max)).collect();
                let told = |(leased, model): (&Leased, &crate::policy::stores::Held<u32>)| {
                    (leased.item.version, leased.tries) == (model.item, model.tries)
                };
                assert!(
                    taken.len() == expected.len() && taken.iter().zip(&expected).all(told),
                    "{taken:?} {expected:?}"
                );
                held.extend(taken.into_iter().zip(expected.iter().map(|model| model.number)));
            }
            Operation::Take(_) => {}
            Operation::Done => {
                if let Some((leased, number)) = held.pop() {
                    assert!(model.done(number));
                    queue.done(&[leased.lease]).await.unwrap();
                }
            }
            Operation::Retry => {
                if let Some((leased, number)) = held.pop() {
                    model.retry(number);
                    queue.retry(leased).await.unwrap();
                }
            }
            Operation::Bury => {
                if let Some((leased, number)) = held.pop() {
                    model.bury(number);
                    queue.bury(leased).await.unwrap();
                }
            }
            Operation::Crash => {
                drop(queue);
                queue = open();
                held.clear();
                model.crash();
            }
        }
    }
    drop(queue);
    assert_eq!(open().depth(), model.depth());
}
