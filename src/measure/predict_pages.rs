//! Closed forms of what a poll weighs, and of what one loses that reads its first page only.

use super::{ConsumerResult, model, predict::Rows};
use crate::{
    model::Span,
    policy::poll::{Phase, Strategy},
    scenario::{ConsumerPlan, Flaw, Mode, Path, Plan, PollingPlan, ProviderPlan},
};

/// First polls at a random phase look back on a part of an interval: they may be one in so many.
const FIRST_AT_MOST: f64 = 0.01;

impl Rows<'_> {
    /// Pages and bytes of one that polls at even intervals for all that has happened.
    pub(super) fn pages(&mut self, plan: &Plan, mine: &ConsumerPlan, provider: &ProviderPlan, result: &ConsumerResult) {
        let Path::Polling(polling) = &mine.path else { return };
        let plain = mine.flaw.is_none_or(|flaw| flaw == Flaw::OnePage)
            && !matches!(polling.strategy, Strategy::State(_) | Strategy::Feed(_))
            && polling.cursor_overlap == Span::ZERO
            && provider.pull.retention.is_none()
            && provider.pull.commit_lag.is_none()
            && provider.pull.view_lag == Span::ZERO
            && result.rate_limited + result.failed_requests == 0;
        let Some(grid) = polling.strategy.grid().filter(|grid| plain && grid.jitter() == 0.0) else { return };
        let polls = result.window_polls.unwrap_or(0) as f64;
        let first = if grid.phase == Phase::Random { f64::from(mine.clients) } else { 0.0 };
        if polls == 0.0 || first > FIRST_AT_MOST * polls {
            return;
        }
        // Where the rate per client is not known, its reason is told beside the ages.
        let mut quiet = Rows::new(&mine.name);
        let Some(rate) = quiet.rate_per_client(plan, mine) else { return };
        let x = rate * grid.interval.as_secs_f64();
        let limit = polling.page_size.min(provider.page_limit);
        if mine.flaw == Some(Flaw::OnePage) {
            return self.one_page(x, limit, result);
        }
        self.bytes(plan, polling, (x, limit), result);
    }

    /// What one loses that reads one page of each poll (2.2).
    fn one_page(&mut self, x: f64, limit: u32, result: &ConsumerResult) {
        let share = model::one_page_loss(x, limit);
        let Some(lost) = result.lost.filter(|_| share * result.due as f64 >= 1.0) else { return };
        self.add(
            "share lost behind the first page = E[(A - L)+] / x",
            share,
            lost as f64 / result.due.max(1) as f64,
            None,
            "Poisson arrivals, polls at even intervals, the newest event as the cursor whatever was read",
        );
    }

    /// Bytes per poll (2.2, 2.3).
    fn bytes(&mut self, plan: &Plan, polling: &PollingPlan, (x, limit): (f64, u32), result: &ConsumerResult) {
        let polls = result.window_polls.unwrap_or(0).max(1) as f64;
        let pages = model::pages_per_poll(x, limit);
        let assumes = "Poisson arrivals, subjects shared equally, every page read at once, no poll fails";
        let Some(bytes) = result.window_bytes.filter(|_| plan.mode == Mode::Virtual) else { return };
        let weights = plan.virtual_time.bytes;
        let conditional = polling.strategy.is_conditional();
        let asked = weights.page_request + if conditional { weights.if_none_match } else { 0 };
        let saved = if conditional { weights.page_answer as f64 - weights.not_modified as f64 } else { 0.0 };
        let unchanged = model::empty_share(x, 1.0);
        let predicted =
            pages * (asked + weights.page_answer) as f64 + x * weights.page_event as f64 - unchanged * saved;
        self.add(
            "bytes per poll = pages x (asked + head) + x events - e^-x saved",
            predicted,
            bytes as f64 / polls,
            None,
            assumes,
        );
    }
}
