//! What [`Ledger`] promises.

use super::*;
use EffectOutcome::{Applied, Duplicate, Stale};

async fn copies_have_one_effect(ledger: Arc<dyn Ledger>) -> Checked {
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let ledger = Arc::clone(&ledger);
        calls.spawn(async move { ledger.apply(vec![effect(7)], Guard::None).await });
    }
    let mut applied = 0;
    while let Some(outcome) = calls.join_next().await {
        let outcome = outcome.expect("the call does not panic")?;
        applied += usize::from(outcome == [Applied]);
    }
    hold!(applied == 1, "40 copies had {applied} effects");
    let twice = ledger.apply(vec![effect(8), effect(8), effect(9)], Guard::None).await?;
    hold!(twice == [Applied, Duplicate, Applied], "two copies in one batch: {twice:?}");
    Ok(())
}

async fn one_event_of_a_subject_has_an_effect(ledger: Arc<dyn Ledger>, guard: Guard) -> Checked {
    let mut calls = tokio::task::JoinSet::new();
    for n in 20..40 {
        let (ledger, one) = (Arc::clone(&ledger), Effect { subject: 99, ..effect(n) });
        calls.spawn(async move { ledger.apply(vec![one], guard).await });
    }
    let (mut applied, mut stale) = (0, 0);
    while let Some(outcome) = calls.join_next().await {
        let outcome = outcome.expect("the call does not panic")?;
        applied += usize::from(outcome == [Applied]);
        stale += usize::from(outcome == [Stale]);
    }
    hold!((applied, stale) == (1, 19), "20 events of one subject had {applied} effects, {stale} were too late");
    Ok(())
}

async fn an_older_version_changes_nothing(ledger: &dyn Ledger) -> Checked {
    let outcomes = ledger.apply(vec![effect(5), effect(3), effect(6)], Guard::Newest).await?;
    hold!(outcomes == [Applied, Stale, Applied], "versions 5, 3, 6 under the guard: {outcomes:?}");
    let unguarded = ledger.apply(vec![effect(4)], Guard::None).await?;
    hold!(unguarded == [Applied], "without the guard: {unguarded:?}");
    Ok(())
}

#[tokio::test]
async fn every_ledger_keeps_its_promises() {
    for kind in LEDGERS {
        let (_a, dir) = scratch();
        let copies = copies_have_one_effect(ledger(kind, &dir, None)).await;
        // To remember nothing is what "none" promises: the check must notice.
        assert_eq!(copies.is_err(), kind == LedgerKind::None, "{kind:?}: {copies:?}");
        let (_b, dir) = scratch();
        assert_eq!(one_event_of_a_subject_has_an_effect(ledger(kind, &dir, None), Guard::First).await, Ok(()));
        let (_c, dir) = scratch();
        let unguarded = one_event_of_a_subject_has_an_effect(ledger(kind, &dir, None), Guard::None).await;
        assert!(unguarded.is_err(), "{kind:?}: the check must notice");
        let (_d, dir) = scratch();
        assert_eq!(an_older_version_changes_nothing(ledger(kind, &dir, None).as_ref()).await, Ok(()), "{kind:?}");
    }
}

#[tokio::test]
async fn only_a_durable_ledger_remembers_after_reopening_and_effects_outlive_all() {
    for kind in LEDGERS {
        let (_guard, dir) = scratch();
        assert_eq!(ledger(kind, &dir, None).apply(vec![effect(1)], Guard::None).await.unwrap(), [Applied]);
        let again = ledger(kind, &dir, None).apply(vec![effect(1)], Guard::None).await.unwrap();
        let expected = if kind == LedgerKind::Sqlite { Duplicate } else { Applied };
        assert_eq!(again, [expected], "{kind:?}");
        let rows = rows(&dir).len();
        assert_eq!(rows, if kind == LedgerKind::Sqlite { 1 } else { 2 }, "{kind:?}");
    }
}

#[tokio::test]
async fn an_entry_is_forgotten_a_ttl_after_its_first_receipt() {
    for kind in [LedgerKind::Memory, LedgerKind::Sqlite] {
        let (_guard, dir) = scratch();
        let ledger = ledger(kind, &dir, Some(Span(100)));
        let at = |ns| Effect { received_unix_ns: ns, ..effect(1) };
        let (mut outcomes, mut known) = (Vec::new(), Vec::new());
        // Within the TTL twice, which must not refresh it; then at its very end.
        for ns in [1_000, 1_060, 1_099, 1_100, 1_199] {
            known.push(ledger.knows(at(ns)).await.unwrap());
            outcomes.extend(ledger.apply(vec![at(ns)], Guard::None).await.unwrap());
        }
        assert_eq!(known, [false, true, true, false, true], "{kind:?}");
        assert_eq!(outcomes, [Applied, Duplicate, Duplicate, Applied, Duplicate], "{kind:?}");
    }
}

#[tokio::test]
async fn the_key_is_the_client_and_the_event() {
    for kind in [LedgerKind::Memory, LedgerKind::Sqlite] {
        let (_guard, dir) = scratch();
        let other_client = Effect { client: 1, ..effect(1) };
        let batch = vec![effect(1), other_client.clone(), effect(1), other_client];
        let outcomes = ledger(kind, &dir, None).apply(batch, Guard::None).await.unwrap();
        assert_eq!(outcomes, [Applied, Applied, Duplicate, Duplicate], "{kind:?}");
        assert_eq!(rows(&dir).iter().map(|row| row.what.client).collect::<Vec<_>>(), [0, 1], "{kind:?}");
    }
}

#[tokio::test]
async fn a_superseded_effect_leaves_a_row_that_says_so() {
    for kind in LEDGERS {
        let (_guard, dir) = scratch();
        let ledger = ledger(kind, &dir, None);
        ledger.apply(vec![effect(5), effect(3), effect(6)], Guard::Newest).await.unwrap();
        let superseded: Vec<bool> = rows(&dir).iter().map(|row| row.superseded).collect();
        assert_eq!(superseded, [false, true, false], "{kind:?}");
    }
}

#[tokio::test]
async fn the_crash_point_lies_in_every_commit_that_holds_an_effect_and_its_entry() {
    let (_guard, dir) = scratch();
    let passed = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&passed);
    let hooks = LedgerHooks {
        now: Arc::new(|| Time::ZERO),
        between_effect_and_ledger: Arc::new(move || {
            counting.fetch_add(1, Ordering::SeqCst);
        }),
    };
    let ledger = open_ledger(LedgerKind::Sqlite, &dir, run_id(), None, hooks).unwrap();
    for n in [1, 2, 2, 3] {
        ledger.apply(vec![effect(n)], Guard::None).await.unwrap();
    }
    assert_eq!(passed.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_halves_that_wrong_consumers_write_are_what_they_say() {
    for kind in [LedgerKind::Memory, LedgerKind::Sqlite] {
        let (_guard, dir) = scratch();
        let ledger = ledger(kind, &dir, None);
        ledger.append_effect(effect(1)).await.unwrap();
        assert!(!ledger.knows(effect(1)).await.unwrap(), "{kind:?}");
        ledger.remember(effect(1)).await.unwrap();
        assert!(ledger.knows(effect(1)).await.unwrap(), "{kind:?}");
        assert_eq!(rows(&dir).len(), 1, "{kind:?}");
    }
}
