//! What a reader should know about a plan before believing its result.

use super::{ConsumerPlan, Plan};
use crate::{
    model::{Span, Time},
    workload::Arrivals,
};

pub(super) fn of(plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    if plan.time_scale != 1.0 {
        unscaled_beyond_scaled(plan, &mut warnings);
    }
    unequal_terms(plan, &mut warnings);
    cut_short(plan, &mut warnings);
    slow_rounds(plan, &mut warnings);
    warnings
}

/// What happens to a subject behind its last turn is seen only if the drain lasts until the next one.
fn slow_rounds(plan: &Plan, warnings: &mut Vec<String>) {
    for consumer in &plan.consumers {
        let Some(state) = consumer.state() else { continue };
        let polls = consumer.polls_per_round(plan.workload.subjects);
        let round = state.interval.scaled(u64::from(polls), 1);
        if polls > 1 && round > plan.drain {
            warnings.push(format!(
                "{}: a client comes to each of its {polls} subjects every {round} only, longer than the drain ({}): what \
                 changes after the last turn stays pending; write a shorter interval, more clients, a longer drain, or \
                 ask = \"updated-since\"",
                consumer.name, plan.drain
            ));
        }
    }
}

/// Captured events behind the window of arrivals never happen.
fn cut_short(plan: &Plan, warnings: &mut Vec<String>) {
    let Arrivals::Replay(replay) = &plan.workload.arrivals else { return };
    let left_out = replay.table.rows().filter(|row| row.at >= Time::ZERO + plan.duration).count();
    if left_out > 0 {
        let (all, duration) = (replay.table.len(), plan.duration);
        warnings
            .push(format!("{left_out} of {all} captured events lie behind the duration ({duration}) and are left out"));
    }
}

/// Timeouts and effect durations keep their length while schedules shrink around them.
fn unscaled_beyond_scaled(plan: &Plan, warnings: &mut Vec<String>) {
    for (number, provider) in (0..).zip(&plan.providers) {
        if !plan.consumers.iter().any(|consumer| consumer.provider == number && consumer.is_pushed()) {
            continue;
        }
        if let Some(shortest) = provider.retry.delays.iter().min().filter(|d| **d < provider.ack_timeout) {
            warnings.push(format!(
                "{}: the ack timeout ({}, not scaled) is longer than the shortest retry delay ({shortest} after time_scale = {})",
                provider.name, provider.ack_timeout, plan.time_scale
            ));
        }
    }
    for consumer in &plan.consumers {
        if let Some(polling) = consumer.polling()
            && polling.strategy.hold().is_none()
            && polling.timeout > polling.strategy.shortest_gap()
        {
            warnings.push(format!(
                "{}: the poll timeout ({}, not scaled) is longer than the interval ({} after time_scale = {})",
                consumer.name,
                polling.timeout,
                polling.strategy.shortest_gap(),
                plan.time_scale
            ));
        }
        if let Some(state) = consumer.state()
            && let Some(overlap) = state.overlap.filter(|overlap| *overlap > state.interval)
        {
            warnings.push(format!(
                "{}: the overlap ({overlap}, not scaled) is longer than the interval ({} after time_scale = {}): each scan \
                 shows again what several have shown",
                consumer.name, state.interval, plan.time_scale
            ));
        }
        if consumer.effect.duration > Span::ZERO && consumer.effect.duration > plan.duration.scaled(1, 10) {
            warnings.push(format!(
                "{}: an effect ({}, not scaled) takes more than a tenth of the run ({} after time_scale = {})",
                consumer.name, consumer.effect.duration, plan.duration, plan.time_scale
            ));
        }
    }
}

/// Consumers that differ in more than their way of being told are not compared on equal terms. A
/// flaw is no such difference: it is there to be seen.
fn unequal_terms(plan: &Plan, warnings: &mut Vec<String>) {
    let own: Vec<&ConsumerPlan> = plan.consumers.iter().filter(|consumer| !consumer.is_external()).collect();
    let Some((first, others)) = own.split_first() else { return };
    for other in others {
        let differences = [
            ("clients", first.clients != other.clients),
            ("follows", first.follows != other.follows),
            ("queue", first.queue != other.queue),
            ("ledger", first.ledger != other.ledger),
            ("ledger_ttl", first.ledger_ttl != other.ledger_ttl),
            ("workers", first.workers != other.workers),
            ("effect", first.effect != other.effect),
        ];
        let named: Vec<&str> = differences.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
        if !named.is_empty() {
            warnings.push(format!(
                "{} and {} differ in {}: compare them with that in mind",
                first.name,
                other.name,
                named.join(", ")
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::poll::{Ask, Strategy},
        scenario::{Path, testing},
    };

    /// Ten subjects, a drain of a second.
    fn polled(clients: u32, ask: Ask, interval: Span, time_scale: f64) -> Vec<String> {
        let mut plan = testing::plan(testing::polling_consumer(clients));
        plan.time_scale = time_scale;
        if let Path::Polling(polling) = &mut plan.consumers[0].path {
            let overlap = (ask == Ask::UpdatedSince).then_some(Span::from_millis(300));
            polling.strategy = Strategy::State(testing::state(interval, ask, overlap));
        }
        of(&plan)
    }

    #[test]
    fn rounds_that_outlast_the_drain_and_overlaps_that_outlast_the_interval_are_told() {
        let told = polled(2, Ask::Subject, Span::from_millis(201), 1.0);
        assert!(told.len() == 1 && told[0].contains("each of its 5 subjects every 1.00s"), "{told:?}");
        assert_eq!(polled(2, Ask::Subject, Span::from_millis(200), 1.0), Vec::<String>::new());
        assert_eq!(polled(1, Ask::UpdatedSince, Span::from_millis(200), 1.0), Vec::<String>::new());
        let told = polled(1, Ask::UpdatedSince, Span::from_millis(200), 60.0);
        assert!(told.len() == 1 && told[0].contains("the overlap (300ms, not scaled)"), "{told:?}");
    }
}
