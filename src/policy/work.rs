//! What a worker does with one event: how long its effect takes, whether it fails, and what follows.

use crate::{
    model::{ClientNo, Seq, Span},
    rng::{Draws, Purpose},
    scenario::{Distribution, EffectPlan},
};

/// How long one execution of an event's effect takes for a client, counted from 0; the same in every
/// consumer. Each execution has its own length: what was slow once may be fast when it is done again.
#[must_use]
pub fn effect_duration(effect: &EffectPlan, draws: Draws, (client, seq): (ClientNo, Seq), execution: u32) -> Span {
    match effect.distribution {
        Distribution::Constant => effect.duration,
        Distribution::Exponential => {
            let number = u64::from(execution) << 32 | u64::from(seq);
            let factor = draws.exponential(Purpose::EffectDuration, u64::from(client), number);
            Span((effect.duration.0 as f64 * factor) as u64)
        }
    }
}

/// Whether the effect of genuine event `seq` fails at each try.
#[must_use]
pub fn is_poison(effect: &EffectPlan, seq: Seq) -> bool {
    effect.poison_every.is_some_and(|every| seq.is_multiple_of(every))
}

/// What becomes of an event whose effect failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Back into the queue.
    Retry,
    /// Its tries are used up: to the dead letters.
    Bury,
}

/// What follows a failure of an event that had failed `failed_before` times already.
#[must_use]
pub fn after_failure(failed_before: u32, max_tries: u32) -> AfterFailure {
    if failed_before.saturating_add(1) < max_tries { AfterFailure::Retry } else { AfterFailure::Bury }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::EffectKind;

    fn effect(distribution: Distribution) -> EffectPlan {
        EffectPlan { kind: EffectKind::Append, duration: Span::from_millis(5), distribution, poison_every: Some(4) }
    }

    #[test]
    fn durations_have_the_mean_asked_for_and_are_keyed_by_client_and_event() {
        let constant = effect(Distribution::Constant);
        assert_eq!(effect_duration(&constant, Draws::new(1), (0, 9), 0), Span::from_millis(5));
        let exponential = effect(Distribution::Exponential);
        let draw = |client, seq| effect_duration(&exponential, Draws::new(1), (client, seq), 0).0;
        let mean = (1..=20_000).map(|seq| draw(0, seq) as f64).sum::<f64>() / 20_000.0;
        // The standard deviation of the mean is 5 ms / sqrt(20,000) = 0.035 ms.
        assert!((mean - 5e6).abs() < 0.15e6, "{mean}");
        assert_eq!(draw(1, 3), draw(1, 3));
        assert_ne!(draw(0, 3), draw(1, 3));
        assert_ne!(draw(0, 3), effect_duration(&exponential, Draws::new(1), (0, 3), 1).0, "done again");
    }

    #[test]
    fn every_nth_event_is_poison() {
        let plan = effect(Distribution::Constant);
        let poison: Vec<Seq> = (1..=9).filter(|seq| is_poison(&plan, *seq)).collect();
        assert_eq!(poison, [4, 8]);
        assert!(!is_poison(&EffectPlan { poison_every: None, ..plan }, 4));
    }

    #[test]
    fn tries_are_bounded() {
        let buried_at = |max| (0..).position(|failed| after_failure(failed, max) == AfterFailure::Bury);
        assert_eq!((buried_at(3), buried_at(1), buried_at(0)), (Some(2), Some(0), Some(0)));
    }
}
