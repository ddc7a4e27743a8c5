//! What [`Outbox`] and [`Downstream`] promise.

use super::*;
use EffectOutcome::{Applied, Duplicate};

fn open(kind: LedgerKind, dir: &Path) -> (Arc<dyn Ledger>, Arc<dyn Outbox>) {
    let hooks = LedgerHooks { now: Arc::new(|| Time::ZERO), between_effect_and_ledger: Arc::new(|| {}) };
    open_ledger_with_outbox(kind, dir, run_id(), None, hooks).unwrap()
}

fn waiting(dir: &Path) -> usize {
    let records = export(dir, &plan(), 0).unwrap();
    records.iter().filter(|record| matches!(record, Record::Outgoing { forged: false, .. })).count()
}

#[tokio::test]
async fn an_effect_waits_in_the_outbox_until_it_is_marked_done_also_across_processes() {
    let (_guard, dir) = scratch();
    let (ledger, outbox) = open(LedgerKind::Sqlite, &dir);
    let outcomes = ledger.apply(vec![effect(1), effect(1), effect(2)], Guard::None).await.unwrap();
    assert_eq!(outcomes, [Applied, Duplicate, Applied]);
    // The effect itself happens elsewhere.
    assert_eq!((outbox.depth(), waiting(&dir), rows(&dir).len()), (2, 2, 0));
    let first = outbox.next().await;
    assert_eq!((first.event_id.as_str(), first.version), (id(1).as_str(), 1));
    let second = outbox.next().await;
    outbox.done(second.id).await.unwrap();
    assert_eq!((outbox.depth(), waiting(&dir)), (1, 1));
    drop((ledger, outbox));

    // The process died with the first one called or not: it is to be called again.
    let (ledger, outbox) = open(LedgerKind::Sqlite, &dir);
    assert_eq!((outbox.depth(), outbox.next().await), (1, first.clone()));
    outbox.done(first.id).await.unwrap();
    assert_eq!(ledger.apply(vec![effect(1), effect(2)], Guard::None).await.unwrap(), [Duplicate, Duplicate]);
    assert_eq!((outbox.depth(), waiting(&dir)), (0, 0));
}

#[tokio::test]
async fn without_a_ledger_an_event_goes_out_as_often_as_it_comes() {
    for (kind, rows) in [(LedgerKind::None, 2), (LedgerKind::Memory, 1), (LedgerKind::Sqlite, 1)] {
        let (_guard, dir) = scratch();
        let (ledger, outbox) = open(kind, &dir);
        ledger.apply(vec![effect(1), effect(1)], Guard::None).await.unwrap();
        assert_eq!(outbox.depth(), rows, "{kind:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_honoured_makes_a_repeated_call_harmless() {
    for (honours_key, effects) in [(true, [true, false, true, false]), (false, [true; 4])] {
        let (_guard, dir) = scratch();
        let open = || open_downstream(&dir, run_id(), (honours_key, None), Arc::new(|| Time(7))).unwrap();
        let wanted = |n| Outgoing { id: 1, client: 0, event_id: id(n), subject: 1, version: 1 };
        let mut found = Vec::new();
        for n in [1, 1, 2, 1] {
            // It outlives its callers.
            let answer = open().call(format!("consumer/0/{}", id(n)), wanted(n)).await.unwrap();
            found.push(answer == CallAnswer::Effected);
        }
        assert_eq!(found, effects);
        let told: Vec<bool> = export(&dir, &plan(), 0)
            .unwrap()
            .into_iter()
            .map(|record| match record {
                Record::ExternalCall { at: Time(7), effected, forged: false, .. } => effected,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, effects);
    }
}

/// The limit outlives the caller too, is each client's own, and a call that is turned away leaves no trace.
#[tokio::test]
async fn no_window_holds_more_calls_than_the_limit_allows() {
    let (_scratch, dir) = scratch();
    let limit = CallLimit { count: 2, per: Span(100) };
    let call = async |client, n, now: u64| {
        let system = open_downstream(&dir, run_id(), (true, Some(limit)), Arc::new(move || Time(now))).unwrap();
        let wanted = Outgoing { id: 1, client, event_id: id(n), subject: 1, version: 1 };
        system.call(format!("consumer/{client}/{}", id(n)), wanted).await.unwrap()
    };
    let mut answers = Vec::new();
    for (client, n, now) in [(0, 1, 0), (0, 2, 60), (0, 3, 70), (1, 3, 70), (0, 3, 99), (0, 3, 100), (0, 4, 100)] {
        answers.push(call(client, n, now).await);
    }
    let (ok, wait) = (CallAnswer::Effected, |ns| CallAnswer::TooMany(Span(ns)));
    assert_eq!(answers, [ok, ok, wait(30), ok, wait(1), ok, wait(60)]);
    let calls = export(&dir, &plan(), 0).unwrap();
    assert_eq!(calls.iter().filter(|record| matches!(record, Record::ExternalCall { .. })).count(), 4);
}
