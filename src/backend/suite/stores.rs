//! Cursors, the export for the judge, and files that are none.

use super::*;
use crate::record::{CursorPosition, Obligation};

#[tokio::test]
async fn cursors_are_durable_and_belong_to_their_run() {
    let (_guard, dir) = scratch();
    let cursors = open_cursors(&dir, run_id()).unwrap();
    assert_eq!(cursors.load(1).await.unwrap(), None);
    cursors.save(1, "41".to_owned()).await.unwrap();
    cursors.save(1, "42".to_owned()).await.unwrap();
    cursors.save(2, "t5".to_owned()).await.unwrap();
    drop(cursors);
    assert_eq!(open_cursors(&dir, run_id()).unwrap().load(1).await.unwrap(), Some("42".to_owned()));
    assert_eq!(open_cursors(&dir, RunId::from_bits(2)).unwrap().load(1).await.unwrap(), None);
}

#[tokio::test]
async fn the_export_tells_this_runs_business_and_what_was_made_up() {
    let (_guard, dir) = scratch();
    let other_run = RunId::from_bits(99);
    let ids = [
        EventId::genuine(run_id(), 1).to_string(),
        EventId::genuine(other_run, 2).to_string(),
        EventId::forged(run_id(), 3).to_string(),
        "somebody-elses".to_owned(),
    ];
    let effects = ids.iter().map(|id| Effect { event_id: id.clone(), ..effect(1) }).collect();
    ledger(LedgerKind::None, &dir, None).apply(effects, Guard::None).await.unwrap();
    let hooks = LedgerHooks { now: Arc::new(|| Time::ZERO), between_effect_and_ledger: Arc::new(|| {}) };
    let others = open_ledger(LedgerKind::None, &dir, other_run, None, hooks).unwrap();
    others.apply(vec![effect(5)], Guard::None).await.unwrap();
    let queue = open_queue(QueueKind::Sqlite, &dir).unwrap();
    queue.put(ids.iter().map(|id| Item { event_id: id.clone(), client: 0, ..item(1) }).collect()).await.unwrap();
    let dead = queue.take(1).await.remove(0);
    queue.bury(dead).await.unwrap();
    let cursors = open_cursors(&dir, run_id()).unwrap();
    cursors.save(0, "17".to_owned()).await.unwrap();
    cursors.save(1, "t1500".to_owned()).await.unwrap();
    drop((others, queue, cursors));

    let what = |seq| Obligation { consumer: 0, client: 0, seq };
    let row = |seq, at, forged| {
        let superseded = false;
        Record::Effect(EffectRow { what: what(seq), subject: 1, version: 1, at: Time(at), forged, superseded })
    };
    let cursor = |client, passed| Record::Cursor { consumer: 0, client, passed };
    assert_eq!(
        export(&dir, &plan(), 0).unwrap(),
        [
            row(1, 0, false),
            row(3, 2, true),
            row(0, 3, true),
            Record::Queued { what: what(3), forged: true },
            Record::Queued { what: what(0), forged: true },
            Record::DeadLetter { what: what(1), forged: false },
            cursor(0, CursorPosition::Seq(17)),
            cursor(1, CursorPosition::Created(Time(1500))),
        ]
    );
}

#[test]
fn an_empty_folder_exports_nothing() {
    let (_guard, dir) = scratch();
    assert_eq!(export(&dir, &plan(), 0).unwrap(), []);
}

#[tokio::test]
async fn a_cursor_that_is_none_is_told_and_not_skipped() {
    let (_guard, dir) = scratch();
    let cursors = open_cursors(&dir, run_id()).unwrap();
    cursors.save(0, "gibberish".to_owned()).await.unwrap();
    drop(cursors);
    assert_eq!(export(&dir, &plan(), 0).unwrap_err().kind, StoreFailure::Damaged);
}

#[test]
fn a_folder_that_cannot_be_and_a_file_that_is_none_are_told_as_such() {
    let (guard, dir) = scratch();
    let file = guard.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let error = open_queue(QueueKind::Sqlite, &file).err().expect("an error");
    assert_eq!(error.kind, StoreFailure::Unwritable);
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join(sqlite::QUEUE_FILE), [7; 4096]).unwrap();
    assert_eq!(open_queue(QueueKind::Sqlite, &dir).err().map(|error| error.kind), Some(StoreFailure::Damaged));
    assert_eq!(export(&dir, &plan(), 0).unwrap_err().kind, StoreFailure::Damaged);
}

#[tokio::test]
async fn a_database_that_somebody_else_locks_is_waited_for_and_nothing_is_lost() {
    let (_guard, dir) = scratch();
    let queue = open_queue(QueueKind::Sqlite, &dir).unwrap();
    let ledger = ledger(LedgerKind::Sqlite, &dir, None);
    let locks = (lock_queue(&dir).unwrap(), lock_ledger(&dir).unwrap());
    let put = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.put(vec![item(1)]).await }
    });
    let apply = tokio::spawn(async move { ledger.apply(vec![effect(1)], Guard::None).await });
    tokio::task::yield_now().await;
    // A consumer may also come back while its database is locked.
    assert_eq!(open_queue(QueueKind::Sqlite, &dir).unwrap().depth(), 0);
    assert_eq!((queue.depth(), rows(&dir).len()), (0, 0));
    drop(locks);
    put.await.unwrap().unwrap();
    assert_eq!(apply.await.unwrap().unwrap(), [EffectOutcome::Applied]);
    assert_eq!((queue.depth(), rows(&dir).len()), (1, 1));
    assert_eq!(lock_ledger(&dir.join("nowhere")).err().map(|error| error.kind), Some(StoreFailure::Unwritable));
}
