//! What [`Queue`] promises.

use std::{collections::BTreeSet, sync::Mutex};

use tokio::task::JoinSet;

use super::*;

const KINDS: [QueueKind; 2] = [QueueKind::Memory, QueueKind::Sqlite];

/// Opens an engine in a folder, again and again.
type Open<'a> = &'a dyn Fn(&Path) -> Arc<dyn Queue>;

async fn take_all(queue: &dyn Queue, count: usize) -> Vec<Leased> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(queue.take(count - taken.len()).await);
    }
    taken
}

fn versions(items: &[Item]) -> Vec<u32> {
    items.iter().map(|item| item.version).collect()
}

/// What a queue would leave to the judge: numbers waiting, and dead ones.
fn left_behind(queue: Arc<dyn Queue>, dir: &Path) -> (Vec<u32>, Vec<u32>) {
    if queue.durability() == Durability::None {
        let (waiting, dead) = queue.volatile_residue();
        return (versions(&waiting), versions(&dead));
    }
    assert_eq!(queue.volatile_residue(), (Vec::new(), Vec::new()));
    drop(queue);
    let (mut waiting, mut dead) = (Vec::new(), Vec::new());
    for record in export(dir, &plan(), 0).unwrap() {
        match record {
            Record::Queued { what, .. } => waiting.push(what.seq),
            Record::DeadLetter { what, .. } => dead.push(what.seq),
            _ => {}
        }
    }
    (waiting, dead)
}

async fn what_is_put_comes_out_in_order(open: Open<'_>, dir: &Path) -> Checked {
    let queue = open(dir);
    queue.put((1..=5).map(item).collect()).await?;
    queue.put(vec![item(1)]).await?;
    hold!(queue.depth() == 6, "depth {} after six", queue.depth());
    let taken = take_all(queue.as_ref(), 6).await;
    let versions: Vec<u32> = taken.iter().map(|leased| leased.item.version).collect();
    hold!(versions == [1, 2, 3, 4, 5, 1], "came out as {versions:?}");
    hold!(queue.depth() == 6, "what is leased is still kept");
    let leases: Vec<u64> = taken.iter().map(|leased| leased.lease).collect();
    queue.done(&leases).await?;
    // An answered call after it proves that `done` is through.
    queue.put(vec![item(9)]).await?;
    hold!(queue.depth() == 1, "depth {} when one is left", queue.depth());
    Ok(())
}

async fn failed_tries_are_counted_and_go_to_the_back(open: Open<'_>, dir: &Path) -> Checked {
    let queue = open(dir);
    queue.put(vec![item(1), item(2)]).await?;
    let first = take_all(queue.as_ref(), 1).await.remove(0);
    hold!(first.tries == 0, "a fresh item has {} tries", first.tries);
    queue.retry(first).await?;
    let both = take_all(queue.as_ref(), 2).await;
    hold!(both[0].item == item(2) && both[1].item == item(1), "a retried item goes to the back");
    hold!(both[1].tries == 1, "a failed try is not counted");
    Ok(())
}

async fn the_dead_are_kept_apart(open: Open<'_>, dir: &Path) -> Checked {
    let queue = open(dir);
    queue.put((1..=3).map(item).collect()).await?;
    // One dead, one with a worker, one waiting.
    let taken = take_all(queue.as_ref(), 2).await;
    queue.bury(taken[0].clone()).await?;
    hold!(queue.depth() == 2, "depth {} beside a dead letter", queue.depth());
    let (mut waiting, dead) = left_behind(queue, dir);
    waiting.sort_unstable();
    hold!(waiting == [2, 3] && dead == [1], "waiting {waiting:?}, dead {dead:?}");
    Ok(())
}

async fn what_is_not_done_comes_again(open: Open<'_>, dir: &Path) -> Checked {
    let queue = open(dir);
    let durable = queue.durability() > Durability::None;
    queue.put((1..=5).map(item).collect()).await?;
    let taken = take_all(queue.as_ref(), 4).await;
    queue.done(&[taken[0].lease]).await?;
    queue.bury(taken[1].clone()).await?;
    queue.retry(taken[2].clone()).await?;
    drop(queue);
    let again = open(dir);
    let expected = if durable { 3 } else { 0 };
    hold!(again.depth() == expected, "{} came again, {expected} were open", again.depth());
    if durable {
        let taken = take_all(again.as_ref(), 3).await;
        let came: Vec<_> = taken.iter().map(|leased| (leased.item.version, leased.tries)).collect();
        hold!(came == [(3, 1), (4, 0), (5, 0)], "came again, with tries: {came:?}");
    }
    Ok(())
}

async fn each_item_is_leased_once(open: Open<'_>, dir: &Path) -> Checked {
    let queue = open(dir);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut takers = JoinSet::new();
    for _ in 0..4 {
        let (queue, seen) = (Arc::clone(&queue), Arc::clone(&seen));
        takers.spawn(async move {
            loop {
                let taken = queue.take(3).await;
                seen.lock().unwrap().extend(taken.iter().map(|leased| leased.item.version));
                let leases: Vec<u64> = taken.iter().map(|leased| leased.lease).collect();
                queue.done(&leases).await.unwrap();
            }
        });
    }
    let mut putters = JoinSet::new();
    for putter in 0..8 {
        let queue = Arc::clone(&queue);
        putters.spawn(async move {
            for n in 0..10 {
                queue.put(vec![item(putter * 100 + n), item(putter * 100 + 50 + n)]).await.unwrap();
            }
        });
    }
    putters.join_all().await;
    while queue.depth() > 0 {
        tokio::task::yield_now().await;
    }
    takers.shutdown().await;
    let seen = seen.lock().unwrap();
    let different = seen.iter().collect::<BTreeSet<_>>().len();
    hold!((seen.len(), different) == (160, 160), "{} handed out, {different} different", seen.len());
    Ok(())
}

async fn a_copy_is_told_and_left_out(open: Open<'_>, dir: &Path) -> Checked {
    let queue = open(dir);
    let other_client = Item { client: 7, ..item(1) };
    let kept = queue.put(vec![item(1), item(2), item(1), other_client]).await?;
    hold!(kept.copies == [2], "copies within a batch: {:?}", kept.copies);
    hold!(queue.depth() == 3, "depth {} after three events", queue.depth());
    // One dead, one done with, one with a worker: all of them have been accepted.
    let taken = take_all(queue.as_ref(), 3).await;
    queue.bury(taken[0].clone()).await?;
    queue.done(&[taken[1].lease]).await?;
    let kept = queue.put(vec![item(3), item(1), item(2)]).await?;
    hold!(kept.copies == [1, 2], "copies of a dead and of a done event: {:?}", kept.copies);
    drop(queue);
    let again = open(dir);
    let kept = again.put(vec![item(1), item(2), item(3), item(4)]).await?;
    hold!(kept.copies == [0, 1, 2], "copies after reopening: {:?}", kept.copies);
    hold!(again.depth() == 3, "depth {} after reopening", again.depth());
    Ok(())
}

async fn simultaneous_copies_are_kept_once(open: Open<'_>, dir: &Path) -> Checked {
    let queue = open(dir);
    let mut putters = JoinSet::new();
    for _ in 0..40 {
        let queue = Arc::clone(&queue);
        putters.spawn(async move { queue.put(vec![item(1), item(2)]).await });
    }
    let mut copies = 0;
    for kept in putters.join_all().await {
        copies += kept?.copies.len();
    }
    hold!((copies, queue.depth()) == (78, 2), "{copies} copies told, {} kept", queue.depth());
    Ok(())
}

/// Opens a durable queue with what a test wants of copies.
fn sqlite_with(copies: Copies) -> impl Fn(&Path) -> Arc<dyn Queue> {
    move |dir| open_queue_with(QueueKind::Sqlite, copies, dir).unwrap()
}

#[tokio::test]
async fn a_durable_queue_that_suppresses_copies_keeps_an_event_once() {
    for (copies, holds) in [(Copies::Suppress, true), (Copies::Keep, false)] {
        let open = sqlite_with(copies);
        let (_a, dir) = scratch();
        assert_eq!(a_copy_is_told_and_left_out(&open, &dir).await.is_ok(), holds, "{copies:?}");
        let (_b, dir) = scratch();
        assert_eq!(simultaneous_copies_are_kept_once(&open, &dir).await.is_ok(), holds, "{copies:?}");
    }
}

#[tokio::test]
async fn suppressing_copies_breaks_no_promise_to_events_put_once() {
    // The first check puts an event twice and wants it twice.
    let broken = broken_promises(&sqlite_with(Copies::Suppress)).await;
    assert_eq!(broken, ["what_is_put_comes_out_in_order"]);
}

/// The names of the checks that an engine fails, each on a fresh folder.
async fn broken_promises(open: Open<'_>) -> Vec<&'static str> {
    let mut broken = Vec::new();
    macro_rules! check {
        ($($check:ident),*) => {$(
            let (_guard, dir) = scratch();
            if $check(open, &dir).await.is_err() {
                broken.push(stringify!($check));
            }
        )*};
    }
    check!(
        what_is_put_comes_out_in_order,
        failed_tries_are_counted_and_go_to_the_back,
        the_dead_are_kept_apart,
        what_is_not_done_comes_again,
        each_item_is_leased_once
    );
    broken
}

#[tokio::test]
async fn every_queue_keeps_its_promises() {
    for kind in KINDS {
        assert_eq!(broken_promises(&|dir| open_queue(kind, dir).unwrap()).await, [""; 0], "{kind:?}");
    }
}

/// Ways to break one promise: the checks' negative controls.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Break {
    /// Says that it is durable and is not.
    Forgetful,
    /// Forgets an item as soon as it is handed out.
    TakeIsDone,
    /// Forgets to count a try.
    RetryForgets,
    /// Throws the dead away.
    BuryDrops,
    /// Hands every item to two workers.
    LeasesTwice,
}

struct BrokenQueue {
    inner: Arc<dyn Queue>,
    how: Break,
}

#[async_trait]
impl Queue for BrokenQueue {
    fn durability(&self) -> Durability {
        Durability::PowerLoss
    }
    async fn put(&self, items: Vec<Item>) -> Result<Kept, StoreError> {
        if self.how == Break::LeasesTwice {
            self.inner.put(items.clone()).await?;
        }
        self.inner.put(items).await
    }
    async fn take(&self, max: usize) -> Vec<Leased> {
        let taken = self.inner.take(max).await;
        if self.how == Break::TakeIsDone {
            let leases: Vec<u64> = taken.iter().map(|leased| leased.lease).collect();
            self.inner.done(&leases).await.unwrap();
        }
        taken
    }
    async fn done(&self, leases: &[u64]) -> Result<(), StoreError> {
        self.inner.done(leases).await
    }
    async fn retry(&self, leased: Leased) -> Result<(), StoreError> {
        if self.how == Break::RetryForgets {
            self.inner.done(&[leased.lease]).await?;
            return self.inner.put(vec![leased.item]).await.map(drop);
        }
        self.inner.retry(leased).await
    }
    async fn bury(&self, leased: Leased) -> Result<(), StoreError> {
        if self.how == Break::BuryDrops {
            return self.inner.done(&[leased.lease]).await;
        }
        self.inner.bury(leased).await
    }
    fn depth(&self) -> u64 {
        self.inner.depth()
    }
    fn volatile_residue(&self) -> (Vec<Item>, Vec<Item>) {
        (Vec::new(), Vec::new())
    }
}

#[tokio::test]
async fn the_checks_notice_a_queue_that_breaks_its_promises() {
    for (how, check) in [
        (Break::Forgetful, "what_is_not_done_comes_again"),
        (Break::TakeIsDone, "what_is_not_done_comes_again"),
        (Break::RetryForgets, "failed_tries_are_counted_and_go_to_the_back"),
        (Break::BuryDrops, "the_dead_are_kept_apart"),
        (Break::LeasesTwice, "each_item_is_leased_once"),
    ] {
        let kind = if how == Break::Forgetful { QueueKind::Memory } else { QueueKind::Sqlite };
        let open =
            |dir: &Path| -> Arc<dyn Queue> { Arc::new(BrokenQueue { inner: open_queue(kind, dir).unwrap(), how }) };
        let broken = broken_promises(&open).await;
        assert!(broken.contains(&check), "{how:?} breaks {broken:?}");
    }
}
