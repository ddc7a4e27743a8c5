//! The faults of one provider, each with a switch.
//!
//! A fault that is off is as if it were not listed: the others keep their indexes, and so their draws.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    fault::{self, Fate, FaultKind, FaultPlan, Target, TargetPath},
    rng::Draws,
    scenario::{ConsumerNo, Plan},
};

/// The plan's faults as this provider applies them.
pub(super) struct Faults {
    planned: Vec<FaultPlan>,
    /// By place in the list. Read for each request, so no lock.
    on: Vec<AtomicBool>,
}

impl Faults {
    /// All on, as in the file.
    ///
    /// Endpoints that are added by hand count as clients of `by_hand`, which the file cannot name. They are
    /// under the faults that hit every consumer that `provider` pushes to.
    pub fn new(plan: &Plan, provider: usize, by_hand: ConsumerNo) -> Faults {
        let pushed: Vec<ConsumerNo> = (0..)
            .zip(&plan.consumers)
            .filter(|(_, consumer)| consumer.is_pushed() && usize::from(consumer.provider) == provider)
            .map(|(number, _)| number)
            .collect();
        let mut planned = plan.faults.clone();
        let on_webhooks = |fault: &FaultPlan| {
            fault.kind.can_hit().webhooks && fault.selector.path.is_none_or(|path| path == TargetPath::Webhook)
        };
        for fault in planned.iter_mut().filter(|fault| on_webhooks(fault)) {
            if pushed.iter().all(|consumer| fault.consumers.contains(consumer)) {
                fault.consumers.push(by_hand);
            }
        }
        let on = planned.iter().map(|_| AtomicBool::new(true)).collect();
        Faults { planned, on }
    }

    /// What the faults that are on make of a request.
    pub fn decide(&self, target: &Target, draws: Draws) -> Fate {
        fault::decide(self.list().filter(|(_, on)| *on).map(|(fault, _)| fault), target, draws)
    }

    /// Every fault, and whether it is on.
    pub fn list(&self) -> impl Iterator<Item = (&FaultPlan, bool)> {
        self.planned.iter().zip(&self.on).map(|(fault, on)| (fault, on.load(Ordering::Relaxed)))
    }

    /// Switches one; there is none with another index.
    pub fn switch(&self, index: u16, enabled: bool) {
        if let Some(on) = self.on.get(usize::from(index)) {
            on.store(enabled, Ordering::Relaxed);
        }
    }

    /// As in the file.
    pub fn switch_all_on(&self) {
        self.on.iter().for_each(|on| on.store(true, Ordering::Relaxed));
    }

    /// Whether one of them, on or off, may hold a consumer's events back.
    pub fn may_hold(&self, consumer: ConsumerNo) -> bool {
        let holds =
            |fault: &FaultPlan| matches!(fault.kind, FaultKind::Reorder(_)) && fault.consumers.contains(&consumer);
        self.planned.iter().any(holds)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{fault::Selector, live::provider::testing, model::Time};

    fn target(consumer: ConsumerNo, number: u32) -> Target {
        Target { path: TargetPath::Webhook, consumer, client: 0, number, attempt: 1, copy: 0, at: Time::ZERO }
    }

    /// Two faults that draw, on consumer 0.
    fn plan() -> Plan {
        let half = || Selector { probability: Some(0.5), ..Selector::default() };
        let faults = vec![
            testing::fault(0, json!({"kind": "drop-request"}), half()),
            testing::fault(1, json!({"kind": "drop-ack"}), half()),
        ];
        Plan { faults, ..testing::plan(testing::webhook_consumer(1)) }
    }

    #[test]
    fn a_fault_that_is_off_is_as_if_it_were_not_listed() {
        let plan = plan();
        let (faults, alone) = (Faults::new(&plan, 0, 1), [plan.faults[1].clone()]);
        let fates =
            || -> Vec<Fate> { (0..64).map(|number| faults.decide(&target(0, number), Draws::new(1))).collect() };
        let both = fates();
        faults.switch(0, false);
        let alone = (0..64).map(|number| fault::decide(&alone, &target(0, number), Draws::new(1)));
        assert_eq!(fates(), alone.collect::<Vec<_>>());
        assert!(fates() != both && fates().iter().any(|fate| !fate.hits.is_empty()));
        faults.switch(7, false);
        assert_eq!(faults.list().map(|(_, on)| on).collect::<Vec<_>>(), [false, true]);
        faults.switch_all_on();
        assert_eq!(fates(), both);
    }

    #[test]
    fn who_is_added_by_hand_is_under_what_hits_every_pushed_consumer() {
        let mut plan = plan();
        plan.consumers.push(testing::webhook_consumer(1));
        plan.faults[1].consumers.push(1);
        let faults = Faults::new(&plan, 0, 2);
        let hit: Vec<Vec<u16>> = (0..64).map(|number| faults.decide(&target(2, number), Draws::new(1)).hits).collect();
        assert!(hit.iter().any(|hits| hits == &[1]) && hit.iter().all(|hits| !hits.contains(&0)));
        plan.faults[1].selector.path = Some(TargetPath::Poll);
        let faults = Faults::new(&plan, 0, 2);
        assert!(faults.list().all(|(fault, _)| !fault.consumers.contains(&2)), "what hits polls only is no matter");
    }
}
