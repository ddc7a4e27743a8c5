//! Closed forms of pushing that are about more than losses: order, and a shared sender pool.

use super::{
    model::{self, SharedPool},
    predict::Rows,
    tally::Tally,
};
use crate::{
    audit::Class,
    model::Span,
    scenario::{ConsumerPlan, DeliveryOrder, EffectKind, Plan, ProviderPlan},
    workload::Arrivals,
};

impl Rows<'_> {
    /// The wait for a slot that dead endpoints hold (2.16).
    pub(super) fn shared_pool(&mut self, plan: &Plan, mine: &ConsumerPlan, tally: &Tally, slots: u32) {
        let sharers = plan.consumers.iter().filter(|other| other.is_pushed() && other.provider == mine.provider);
        let steady = matches!(plan.workload.arrivals, Arrivals::Constant(_) | Arrivals::Poisson(_));
        if sharers.count() > 1 || !steady || tally.attempts != tally.due || tally.open > 0 {
            return self.leave_out("a shared pool's wait is known for one consumer, steady arrivals and no retries");
        }
        let window_s = plan.duration.as_secs_f64();
        let timeout = plan.providers.get(usize::from(mine.provider)).map_or(Span::ZERO, |p| p.ack_timeout);
        let pool = SharedPool {
            workers: f64::from(slots),
            lambda: tally.attempts as f64 / window_s,
            service_s: tally.waits.service_s(),
            timeout_s: timeout.as_secs_f64(),
        };
        let (phi, threshold) = (tally.waits.timeout_share(), pool.threshold());
        let side = if phi > threshold { "above" } else { "below" };
        let quantity = format!(
            "mean wait for a slot, s: {:.1} % of attempts hang, {side} the threshold (W/lambda - s)/(timeout - s) = {:.1} %",
            phi * 100.0,
            threshold * 100.0
        );
        let (wait_s, sd_s) = (pool.mean_wait_s(phi, window_s), pool.mean_wait_sd_s(phi, window_s));
        let assumes = "first come first served over all endpoints; the share that hangs and the time s that an \
                       answered attempt takes are as measured; below the threshold chance queues are left out";
        self.add(&quantity, wait_s, tally.waits.mean_wait_s(), Some(sd_s).filter(|_| wait_s > 0.0), assumes);
    }

    /// How often the older of two updates comes last (2.14).
    pub(super) fn order(&mut self, plan: &Plan, mine: &ConsumerPlan, provider: &ProviderPlan, p_r: f64, tally: &Tally) {
        let Arrivals::Pairs(workload) = &plan.workload.arrivals else { return };
        if mine.effect.kind != EffectKind::Set || mine.is_external() {
            return;
        }
        let shortest = provider.retry.delays.iter().copied().min().unwrap_or(Span(u64::MAX));
        let patience = provider.retry.delays.iter().fold(Span::ZERO, |sum, delay| sum + *delay);
        let revisit_s = f64::from(plan.workload.subjects) / (plan.workload.arrivals.rate_per_sec() / 2.0);
        let given_up = p_r.powi(provider.retry.max_attempts() as i32);
        if workload.gap >= shortest || patience.as_secs_f64() > revisit_s || given_up > 0.001 {
            return self.leave_out(
                "the order of pairs is known where each retry comes later than the gap, nothing is given up and pairs \
                 of one subject are further apart than the whole schedule",
            );
        }
        let pairs = tally.due as f64 / 2.0;
        let ordered = provider.sending.ordering != DeliveryOrder::None;
        let share = if ordered { 0.0 } else { model::inverted_share(p_r) };
        let error = (share * (1.0 - share) / pairs).sqrt();
        let assumes = "requests are lost independently; every retry comes later than the gap; the version guard tells \
                       an older version that comes last";
        let quantity = if ordered { "inverted pairs, delivered in order" } else { "inverted pairs = p / (1 + p)" };
        self.add(quantity, share, tally.class(Class::Superseded) as f64 / pairs, Some(error), assumes);
    }
}
