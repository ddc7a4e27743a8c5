//! Closed forms of polling for states, one by one or by what has changed.

use super::{looks::Looks, model, predict::Rows, tally::Tally};
use crate::{
    audit::Class,
    model::Span,
    policy::poll::{Ask, Phase, State},
    scenario::{ConsumerPlan, Plan},
};

impl Rows<'_> {
    /// What is seen, how old it is, and how often a poll finds nothing new (2.1 and 2.2, of states).
    pub(super) fn state(&mut self, plan: &Plan, mine: &ConsumerPlan, state: &State, tally: &Tally) {
        let (interval_s, window_s) = (state.interval.as_secs_f64(), plan.duration.as_secs_f64());
        if state.phase == Phase::Aligned || state.jitter > 0.0 {
            return self.leave_out("its forms need polls at even intervals and random phases");
        }
        let polls = model::polls(mine.clients, window_s, interval_s);
        let assumes = "polls on a fixed timer, counted within the window of arrivals";
        self.add("polls = clients x duration / interval", polls, tally.window_polls.made as f64, None, assumes);
        let Some(lambda) = self.rate_per_client(plan, mine) else { return };
        // Everybody's share is the same: how many subjects, and how long from one look at each to the next.
        let share =
            f64::from(plan.workload.subjects) * f64::from(mine.clients_per_event()) / f64::from(mine.clients.max(1));
        let turns = if state.ask == Ask::Subject { share } else { 1.0 };
        let looks = Looks { lambda: lambda / share, t: interval_s * turns, window_s };
        if looks.window_s < looks.t + view_lag_s(plan, mine) {
            return self.leave_out("not every subject is looked at within the window of arrivals");
        }
        self.state_ages(plan, mine, looks, tally);
        // One by one, each subject has a phase of its own; a scan has one for its whole share.
        let (clients, things) = (f64::from(mine.clients), share * f64::from(mine.clients));
        let groups = if state.ask == Ask::Subject { things } else { clients };
        let measured = tally.class(Class::Superseded) as f64 / tally.due as f64;
        let assumes = "Poisson changes, each subject alike; every look tells the newest state as of then";
        let error = looks.superseded_error(things, groups);
        self.add(
            "share superseded = 1 - (1 - e^-x) / x, x = changes per look",
            looks.superseded_share(),
            measured,
            Some(error),
            assumes,
        );
        // A poll's own looks: at one subject, or at all of its share at once.
        let own = match state.ask {
            Ask::Subject => looks,
            Ask::UpdatedSince => Looks { lambda, t: interval_s, window_s },
        };
        let (made, idle) = (tally.window_polls.made as f64, tally.window_polls.empty as f64);
        let predicted = own.idle_share(view_lag_s(plan, mine));
        if predicted * made >= 1.0 {
            let error = (predicted * (1.0 - predicted) / made).sqrt();
            self.add(
                "share of polls without news = e^-x, x = changes per poll",
                predicted,
                idle / made,
                Some(error),
                assumes,
            );
        }
    }

    fn state_ages(&mut self, plan: &Plan, mine: &ConsumerPlan, looks: Looks, tally: &Tally) {
        let age = tally.ages.summary();
        let Some(mean) = age.mean else {
            return self.leave_out("not every obligation was applied or overtaken, so ages are censored");
        };
        let later = view_lag_s(plan, mine) + mine.effect.duration.as_secs_f64();
        let assumes = "Poisson changes; one that is overtaken counts until a later state takes effect; network and \
                       queueing time are left out";
        let error = looks.t / 12f64.sqrt() / (age.count as f64).sqrt();
        self.add("mean age = T / 2 + view lag + effect", looks.t / 2.0 + later, mean, Some(error), assumes);
        if let Some(seen) = tally.applied_age.mean_s() {
            let assumes = "Poisson changes; from the change that a state shows to its effect; network and queueing time \
                           are left out";
            let quantity = "mean age of a state when seen = T (1/x - 1/(e^x - 1)) + view lag + effect";
            self.add(quantity, looks.seen_age_s() + later, seen, None, assumes);
        }
    }
}

fn view_lag_s(plan: &Plan, mine: &ConsumerPlan) -> f64 {
    let provider = plan.providers.get(usize::from(mine.provider));
    provider.map_or(Span::ZERO, |provider| provider.pull.view_lag).as_secs_f64()
}
