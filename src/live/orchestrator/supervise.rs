//! The middle of a run: lets happen what the plan says, notices what it does not say, and knows
//! when all is quiet.

use std::collections::BTreeMap;

use super::{
    RunError, RunOptions, Snapshot,
    process::{Event, What},
    stage::{Actor, Stage},
};
use crate::{
    fault::{Action, FaultKind, Timeline},
    live::{
        clock::Clock,
        control::{Progress, Report},
    },
    model::{Span, Time},
    record::{ProcessChange, Record, Role},
    scenario::{ConsumerNo, Plan},
};

/// Progress reports that each role must have sent since the run looked quiet first: what is under
/// way between two processes is in nobody's report.
const QUIET_REPORTS: u64 = 3;
/// How often the resources of living processes are looked at.
const LOOK_INTERVAL: Span = Span::from_millis(200);

/// Runs until everything is quiet, the drain's bound or Ctrl-C. True where a person stopped it.
pub(super) async fn until_over(
    stage: &mut Stage<'_>,
    clock: Clock,
    options: &mut RunOptions,
) -> Result<bool, RunError> {
    let mut timeline = Timeline::of(stage.plan());
    let window_end = Time::ZERO + stage.plan().duration;
    let bound = window_end + stage.plan().drain;
    // Quiet before a replay of dead letters is not the end.
    let replays = stage.plan().providers.iter().filter_map(|provider| provider.sending.replay_dead_letters_at);
    let earliest_end = replays.fold(window_end, Time::max);
    let mut quiet = Quiet::default();
    let mut next_look = Time::ZERO;
    loop {
        let now = clock.now();
        while let Some((consumer, action)) = timeline.pop_due(now) {
            act(stage, clock, consumer, action).await?;
        }
        if now >= next_look {
            next_look = now + LOOK_INTERVAL;
            stage.look();
            (options.on_progress)(&snapshot(stage, now));
        }
        let over = now >= earliest_end && timeline.next_at().is_none() && quiet.holds(stage);
        if over || now >= bound {
            return Ok(false);
        }
        let wake = timeline.next_at().unwrap_or(Time::MAX).min(next_look).min(bound);
        tokio::select! {
            event = stage.next_event() => if let Some(event) = event
                && !notice(stage, &mut timeline, clock, &event)
            {
                // What is left cannot make the run whole again; it is judged, and void.
                return Ok(false);
            },
            () = clock.sleep_until(wake) => {}
            _ = options.interrupts.wait_for(|count| *count >= 1) => return Ok(true),
        }
    }
}

/// Carries out one action of the plan.
async fn act(stage: &mut Stage<'_>, clock: Clock, consumer: ConsumerNo, action: Action) -> Result<(), RunError> {
    let role = role_of(stage.plan(), consumer);
    let now = clock.now();
    match action {
        Action::Restart => stage.restart(consumer).await?,
        // Its death is recorded, and its restart planned, when its end is noticed: until then it may
        // still store and answer.
        Action::Kill { fault } => {
            if stage.kill(consumer, fault) {
                hit(stage, fault, consumer, now);
            }
        }
        Action::Stall { fault } => {
            if stage.freeze(consumer, true) {
                stage.record(Record::Process { role, change: ProcessChange::Stalled, at: now });
                hit(stage, fault, consumer, now);
            }
        }
        Action::Lock { fault } => {
            stage.lock_store(consumer, fault).await?;
            hit(stage, fault, consumer, clock.now());
        }
        Action::Unlock { fault } => stage.locks.release(consumer, fault),
        Action::Resume => {
            if stage.freeze(consumer, false) {
                stage.record(Record::Process { role, change: ProcessChange::Resumed, at: now });
            }
        }
    }
    Ok(())
}

fn hit(stage: &Stage<'_>, fault: u16, consumer: ConsumerNo, at: Time) {
    stage.record(Record::FaultHit { fault, consumer, client: 0, number: 0, attempt: 0, copy: 0, at });
}

/// Takes notice of what a process said or of its end. False where the run cannot go on.
fn notice(stage: &Stage<'_>, timeline: &mut Timeline, clock: Clock, event: &Event) -> bool {
    let now = clock.now();
    let actor = &stage.actors[event.actor];
    let role = actor.role;
    match &event.what {
        What::Said(Report::Ready { .. }) => {
            stage.record(Record::Process { role, change: ProcessChange::Ready, at: now });
            true
        }
        What::Said(_) => true,
        What::Ended => {
            stage.record(Record::Process { role, change: actor.end(), at: now });
            let planned =
                actor.consumer().and_then(|consumer| Some((consumer, planned_death(stage, actor, consumer)?)));
            let Some((consumer, fault)) = planned else { return false };
            if actor.crashing.is_some() {
                hit(stage, fault, consumer, now);
            }
            timeline.add(now + down_time(stage.plan(), consumer, fault), consumer, Action::Restart);
            true
        }
    }
}

/// The fault by which a consumer's process has died, if by one.
fn planned_death(stage: &Stage<'_>, actor: &Actor, consumer: ConsumerNo) -> Option<u16> {
    match actor.end() {
        ProcessChange::Crashed(_) => crash_fault(stage.plan(), consumer),
        ProcessChange::Killed => actor.killed_by,
        _ => None,
    }
}

fn role_of(plan: &Plan, consumer: ConsumerNo) -> Role {
    Role::of(&plan.consumers[usize::from(consumer)], consumer)
}

/// The fault that makes this consumer die at a point.
fn crash_fault(plan: &Plan, consumer: ConsumerNo) -> Option<u16> {
    let at_point = |kind: &FaultKind| matches!(kind, FaultKind::Crash(crash) if crash.point.is_some());
    plan.faults.iter().find(|fault| fault.consumers.contains(&consumer) && at_point(&fault.kind)).map(|f| f.index)
}

fn down_time(plan: &Plan, consumer: ConsumerNo, fault: u16) -> Span {
    let found = plan.faults.iter().find(|f| f.index == fault && f.consumers.contains(&consumer));
    match found.map(|fault| &fault.kind) {
        Some(FaultKind::Crash(crash)) => crash.down,
        _ => Span::ZERO,
    }
}

fn snapshot(stage: &Stage<'_>, now: Time) -> Snapshot {
    let consumers: BTreeMap<_, _> =
        stage.actors.iter().filter_map(|actor| Some((actor.consumer()?, (actor.progress, actor.lives())))).collect();
    Snapshot { now, draining: now >= Time::ZERO + stage.plan().duration, provider: providers(stage), consumers }
}

/// How far the providers are: all emit the same events, each has deliveries of its own.
fn providers(stage: &Stage<'_>) -> Progress {
    let each = stage.actors.iter().filter(|actor| actor.consumer().is_none()).map(|actor| actor.progress);
    each.reduce(|all, one| Progress {
        emitted: all.emitted.min(one.emitted),
        emission_over: all.emission_over && one.emission_over,
        open: all.open + one.open,
        requests: all.requests + one.requests,
        ..all
    })
    .unwrap_or_default()
}

/// Whether nothing is under way any more.
#[derive(Default)]
struct Quiet {
    /// How many reports each actor had sent when the run looked quiet first.
    since: Option<Vec<u64>>,
}

impl Quiet {
    /// True when every role has been quiet over several of its reports.
    fn holds(&mut self, stage: &Stage<'_>) -> bool {
        if !stage.actors.iter().all(|actor| looks_quiet(actor, stage.plan())) {
            self.since = None;
            return false;
        }
        let reports: Vec<u64> = stage.actors.iter().map(|actor| actor.reports).collect();
        let since = self.since.get_or_insert_with(|| reports.clone());
        since.iter().zip(&reports).all(|(then, now)| *now >= then + QUIET_REPORTS)
    }
}

fn looks_quiet(actor: &Actor, plan: &Plan) -> bool {
    let progress = &actor.progress;
    actor.lives()
        && match actor.role {
            Role::Provider(_) => progress.emission_over && progress.open == 0,
            Role::Receiver(consumer) | Role::Poller(consumer) => {
                let polls = plan.consumers[usize::from(consumer)].polls();
                progress.waiting == 0 && (!polls || progress.quiet_polls > 0)
            }
            Role::Orchestrator => true,
        }
}
