//! How long messages take from one side to the other.

use crate::{
    fault::{Target, TargetPath},
    model::Span,
    rng::{Draws, Purpose},
    scenario::{Delay, VirtualPlan},
};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    /// To whoever answers.
    Request = 0,
    /// Back to whoever asked.
    Answer = 1,
    /// Back to whoever asked, where a second question follows.
    Reading = 2,
    /// To whoever answers, a second time.
    Writing = 3,
}

/// How long one leg of one request takes. Keyed like faults, not by consumer: two consumers of the same
/// events meet the same network.
#[must_use]
pub(super) fn delay(plan: &VirtualPlan, draws: Draws, target: &Target, leg: Leg) -> Span {
    if plan.delay_distribution == Delay::Constant {
        return plan.one_way_delay;
    }
    let path = u64::from(target.path == TargetPath::Poll);
    let again = u64::from(leg as u8 >> 1);
    let entity = again << 40 | path << 32 | u64::from(target.client);
    let (attempt, copy) = (u64::from(target.attempt & 0xffff), u64::from(target.copy & 0x7f));
    let number = u64::from(target.number) << 24 | attempt << 8 | copy << 1 | u64::from(leg as u8 & 1);
    let (mean, spread) = (plan.one_way_delay.0 as f64, plan.delay_spread.0 as f64);
    match plan.delay_distribution {
        Delay::Constant => plan.one_way_delay,
        Delay::Exponential => Span((mean * draws.exponential(Purpose::LinkDelay, entity, number)) as u64),
        Delay::Normal => Span((mean + spread * draws.normal(Purpose::LinkDelay, entity, number)).abs() as u64),
    }
}

/// No message takes longer, but for a fault.
#[must_use]
pub(super) fn longest(plan: &VirtualPlan) -> Span {
    match plan.delay_distribution {
        Delay::Constant => plan.one_way_delay,
        Delay::Normal => plan.one_way_delay + Span((plan.delay_spread.0 as f64 * Draws::NORMAL_MAX) as u64 + 1),
        Delay::Exponential => Span((plan.one_way_delay.0 as f64 * Draws::EXPONENTIAL_MAX) as u64 + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(number: u32) -> Target {
        let path = TargetPath::Poll;
        Target { path, consumer: 0, client: 3, number, attempt: 1, copy: 0, at: crate::model::Time::ZERO }
    }

    #[test]
    fn delays_have_their_mean_and_a_constant_one_has_no_spread() {
        let plan = VirtualPlan { one_way_delay: Span::from_millis(5), ..VirtualPlan::default() };
        let of = |number, leg| delay(&plan, Draws::new(1), &target(number), leg).0 as f64;
        let mean = (1..=20_000).map(|number| of(number, Leg::Request)).sum::<f64>() / 20_000.0;
        // The standard deviation of the mean is 5 ms / sqrt(20,000) = 0.035 ms.
        assert!((mean - 5e6).abs() < 0.15e6, "{mean}");
        assert!(of(1, Leg::Request) != of(1, Leg::Answer), "each leg has its own");
        let constant = VirtualPlan { delay_distribution: Delay::Constant, ..plan };
        assert_eq!(delay(&constant, Draws::new(1), &target(1), Leg::Answer), plan.one_way_delay);
    }
}
