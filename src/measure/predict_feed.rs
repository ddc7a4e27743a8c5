//! Closed forms of looking where something is known to have happened: a feed of changes, and pings.

use super::{model, predict::Rows, tally::Tally};
use crate::{
    policy::poll::{Grid, Ping},
    scenario::{ConsumerPlan, Plan},
};

impl Rows<'_> {
    /// How many fetches the looks at a feed lead to.
    pub(super) fn feed(&mut self, plan: &Plan, mine: &ConsumerPlan, grid: &Grid, tally: &Tally) {
        self.polling(plan, mine, grid, tally);
        let Some(lambda) = self.rate_per_client(plan, mine) else { return };
        if grid.jitter() > 0.0 {
            return self.leave_out("its fetches are known for looks at even intervals");
        }
        let per_event = f64::from(mine.clients_per_event());
        let share = f64::from(plan.workload.subjects) * per_event / f64::from(mine.clients.max(1));
        let looks = tally.window_polls.made as f64;
        let predicted = model::fetches_per_look(share, lambda / share, grid.interval.as_secs_f64());
        let measured = (tally.window_polls.requests - tally.window_polls.made) as f64 / looks.max(1.0);
        let hit = predicted / share;
        let error = (share * hit * (1.0 - hit) / looks.max(1.0)).sqrt();
        let assumes = "Poisson changes, each subject alike, counted within the window of arrivals";
        self.add("fetches per look = subjects x (1 - e^-x)", predicted, measured, Some(error), assumes);
    }

    /// How many requests a find takes.
    pub(super) fn ping(&mut self, ping: &Ping, tally: &Tally) {
        let (made, useful) = (tally.window_polls.made as f64, tally.window_polls.useful as f64);
        if useful == 0.0 {
            return self.leave_out("no ping led to anything");
        }
        let predicted = model::requests_per_find(ping.precision);
        // The number of pings in vain behind each event is geometric.
        let error = (1.0 - ping.precision).sqrt() / ping.precision / useful.sqrt();
        let assumes = "no two events in one fetch; pings in vain are as frequent as the precision says";
        self.add("requests per find = 1 / precision", predicted, made / useful, Some(error), assumes);
    }
}
