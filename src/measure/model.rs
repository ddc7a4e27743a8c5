//! Closed forms: pure functions, in seconds and shares. `ARCHITECTURE.md` tells where they come from.

/// What independent losses do to one webhook delivery: its request is lost with probability `p_r`
/// (no effect), its ack with `p_a` (effect done, the sender sees a failure), attempts at most `k`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Losses {
    /// Probability that a request is lost, 0 to 1.
    pub p_r: f64,
    /// Probability that an ack is lost, given that the request arrived, 0 to 1.
    pub p_a: f64,
    /// Attempts at most, from 1.
    pub k: u32,
}

/// Mean and standard deviation per event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
}

/// Mean age under polling every `t`: an event waits for half an interval on average, and jitter of
/// `j` x `t` lets events fall into longer gaps more often than into shorter ones.
#[must_use]
pub fn polling_mean_age_s(t: f64, j: f64) -> f64 {
    t / 2.0 * (1.0 + j * j / 6.0)
}

/// The q-quantile of the age under polling every `t` without jitter: ages are uniform on (0, t).
#[must_use]
pub fn polling_age_quantile_s(t: f64, q: f64) -> f64 {
    q * t
}

/// Polls of `clients` on a fixed timer within `d` seconds.
#[must_use]
pub fn polls(clients: u32, d: f64, t: f64) -> f64 {
    f64::from(clients) * d / t
}

/// What adaptive polling comes to in the long run, for Poisson arrivals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptive {
    /// Polls per second and client.
    pub polls_per_s: f64,
    /// Mean age in seconds.
    pub mean_age_s: f64,
}

/// Polling after gaps min x factor^k, at most `max`, back to `min` after an event, for Poisson arrivals
/// of `lambda` per second and client: a chain of states k that is left upwards with probability
/// e^(-lambda T_k) and begins again otherwise.
#[must_use]
pub fn adaptive(lambda: f64, min: f64, max: f64, factor: f64) -> Adaptive {
    let (mut visits, mut reached, mut gap) = (0.0, 1.0, min);
    let (mut time, mut waited) = (0.0, 0.0);
    loop {
        let idle = libm::exp(-lambda * gap);
        // The last state is visited again and again; a factor of 1 makes the first the last.
        let last = gap >= max || factor <= 1.0;
        let here = if last { reached / (1.0 - idle) } else { reached };
        visits += here;
        time += here * gap;
        waited += here * gap * gap / 2.0;
        if last || reached < 1e-12 {
            return Adaptive { polls_per_s: visits / time, mean_age_s: waited / time };
        }
        reached *= idle;
        gap = (gap * factor).min(max);
    }
}

/// Long polls of one client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LongPolls {
    /// Requests that begin within the window.
    pub polls: f64,
    /// Of these, how many find nothing.
    pub empty: f64,
}

/// Long polls of one client within the `d` seconds of arrivals, the first one at their beginning, each held
/// for at most `hold`: Poisson arrivals of `lambda` per second and a round trip of no length.
///
/// A request ends with each event, and k holds after an event, or after the start, if none has come
/// meanwhile. One is being held when the arrivals end; nothing comes any more, so it finds nothing. Per
/// second, over a long window, that is `lambda / (1 - e^-x)` with `x = lambda x hold`.
#[must_use]
pub fn long_polls(lambda: f64, hold: f64, d: f64) -> LongPolls {
    let mut in_vain = 1.0;
    for holds in (1u32..).map(|k| f64::from(k) * hold).take_while(|holds| *holds < d) {
        let ended = libm::exp(-lambda * holds) * (1.0 + lambda * (d - holds));
        in_vain += ended;
        if ended < 1e-12 {
            break;
        }
    }
    LongPolls { polls: lambda * d + in_vain, empty: in_vain }
}

/// A webhook whose requests get lost, and a poll that reconciles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hybrid<'a> {
    /// Probability that one request is lost, 0 to 1.
    pub p_r: f64,
    /// When each attempt comes, in seconds after the event.
    pub offsets_s: &'a [f64],
    /// Seconds between two polls of a client.
    pub poll_s: f64,
}

impl Hybrid<'_> {
    /// Mean age: what attempt i is the first to bring waits o_i, or for an earlier poll; what none brings
    /// waits for a poll, half an interval. With one attempt this is (1-p) W + p T/2.
    #[must_use]
    pub fn mean_age_s(self) -> f64 {
        // E[min(o, U)] for U uniform on (0, T).
        let waits = |o: f64| if o < self.poll_s { o - o * o / (2.0 * self.poll_s) } else { self.poll_s / 2.0 };
        self.over_attempts(waits, self.poll_s / 2.0)
    }

    /// Mean of the squared age, for its spread.
    #[must_use]
    pub fn mean_square_age(self) -> f64 {
        let t = self.poll_s;
        // E[min(o, U)^2] = o^3/3T + o^2 (1 - o/T).
        let squares = |o: f64| if o < t { o * o - 2.0 * o * o * o / (3.0 * t) } else { t * t / 3.0 };
        self.over_attempts(squares, t * t / 3.0)
    }

    /// The share of events that a poll sees first.
    #[must_use]
    pub fn poll_first(self) -> f64 {
        self.over_attempts(|o| (o / self.poll_s).min(1.0), 1.0)
    }

    /// Averages over the attempt that is the first to arrive; `never` where none is.
    fn over_attempts(self, at: impl Fn(f64) -> f64, never: f64) -> f64 {
        let (mut sum, mut lost) = (0.0, 1.0);
        for &offset in self.offsets_s {
            sum += lost * (1.0 - self.p_r) * at(offset);
            lost *= self.p_r;
        }
        sum + lost * never
    }
}

/// Share of polls that find nothing, for Poisson arrivals of `lambda` per second and client.
#[must_use]
pub fn empty_share(lambda: f64, t: f64) -> f64 {
    libm::exp(-lambda * t)
}

/// Effects that a crash at a random instant repeats, where calls come at `lambda` per second and stay
/// unmarked for `window` seconds on average: as many as lie in the window (Little).
#[must_use]
pub fn repeats_per_crash(lambda: f64, window: f64) -> f64 {
    lambda * window
}

impl Losses {
    /// The probability that an attempt fails as the sender sees it.
    fn f(self) -> f64 {
        1.0 - (1.0 - self.p_r) * (1.0 - self.p_a)
    }

    /// Attempts per event: (1 - f^k) / s.
    #[must_use]
    pub fn attempts(self) -> f64 {
        self.tries()
    }

    /// Receipts per event: (1 - f^k) / (1 - p_a).
    #[must_use]
    pub fn receipts(self) -> f64 {
        self.tries() * (1.0 - self.p_r)
    }

    /// Receipts beyond the first per event: receipts less the probability of any.
    #[must_use]
    pub fn duplicates(self) -> f64 {
        self.receipts() - (1.0 - self.p_r.powi(self.k as i32))
    }

    /// Probability that the sender gives up: f^k.
    #[must_use]
    pub fn gave_up(self) -> f64 {
        self.f().powi(self.k as i32)
    }

    /// The geometric sum 1 + f + ... + f^(k-1), which is (1 - f^k) / s and also right where s = 0.
    fn tries(self) -> f64 {
        let f = self.f();
        (0..self.k).fold((0.0, 1.0), |(sum, power), _| (sum + power, power * f)).0
    }

    /// Mean and spread of (attempts, receipts, duplicates) per event, summed over every way in which
    /// a delivery can go. The means repeat the closed forms; the spread gives the standard errors.
    #[must_use]
    pub fn enumerate(self) -> [Moments; 3] {
        let (acked, dropped, lost) = ((1.0 - self.p_r) * (1.0 - self.p_a), (1.0 - self.p_r) * self.p_a, self.p_r);
        // going[r]: the probability that all attempts so far have failed, r of them received.
        let mut going = vec![1.0];
        let mut sums = [(0.0, 0.0); 3];
        let mut end = |probability: f64, attempts: u32, receipts: usize| {
            let values = [f64::from(attempts), receipts as f64, receipts.saturating_sub(1) as f64];
            for (sum, value) in sums.iter_mut().zip(values) {
                sum.0 += probability * value;
                sum.1 += probability * value * value;
            }
        };
        for attempt in 1..=self.k {
            let mut next = vec![0.0; going.len() + 1];
            for (received, &p) in going.iter().enumerate() {
                end(p * acked, attempt, received + 1);
                next[received] += p * lost;
                next[received + 1] += p * dropped;
            }
            going = next;
        }
        going.iter().enumerate().for_each(|(received, &p)| end(p, self.k, received));
        sums.map(|(mean, square)| Moments { mean, sd: (square - mean * mean).max(0.0).sqrt() })
    }
}

/// Probability that the older of two updates takes effect last (2.14): attempts fail independently with
/// probability `p`, every retry comes later than the gap between the two.
#[must_use]
pub fn inverted_share(p: f64) -> f64 {
    p / (1.0 + p)
}

/// A sender pool that healthy and dead endpoints share (2.16).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedPool {
    /// Attempts in flight at most.
    pub workers: f64,
    /// Attempts due per second.
    pub lambda: f64,
    /// How long a healthy endpoint holds a worker.
    pub service_s: f64,
    /// How long a dead one does.
    pub timeout_s: f64,
}

impl SharedPool {
    /// The share of attempts to dead endpoints above which the pool cannot keep up:
    /// (W/lambda - s) / (timeout - s).
    #[must_use]
    pub fn threshold(self) -> f64 {
        (self.workers / self.lambda - self.service_s) / (self.timeout_s - self.service_s)
    }

    /// The mean wait for a worker over `window_s` of arrivals with a share `phi` to dead endpoints. What
    /// is offered beyond the pool's rate queues up first come first served, so the wait of what comes at
    /// t is t x (load - 1), less a head start. Below the threshold nobody waits for long.
    #[must_use]
    pub fn mean_wait_s(self, phi: f64, window_s: f64) -> f64 {
        let growth = self.mean_service_s(phi) * self.lambda / self.workers - 1.0;
        if growth <= 0.0 { 0.0 } else { (growth * window_s / 2.0 - self.head_start_s(phi)).max(0.0) }
    }

    /// An attempt starts when those before it have started, not when they have ended: what is still being
    /// served (`E[S^2] / 2E[S]` per worker) was not waited for. Against that, workers idle until the dead
    /// attempts have filled them.
    fn head_start_s(self, phi: f64) -> f64 {
        let square = phi * self.timeout_s * self.timeout_s + (1.0 - phi) * self.service_s * self.service_s;
        let to_fill = (self.workers - self.lambda * (1.0 - phi) * self.service_s).max(0.0);
        let idle_s = to_fill * to_fill / (2.0 * self.workers * self.lambda * phi);
        square / (2.0 * self.mean_service_s(phi)) - idle_s
    }

    /// The spread of that mean where dead and healthy attempts come in random order, their share given:
    /// the work done runs ahead of its mean and back again like a Brownian bridge.
    #[must_use]
    pub fn mean_wait_sd_s(self, phi: f64, window_s: f64) -> f64 {
        let n = self.lambda * window_s;
        (n / 12.0).sqrt() * (self.timeout_s - self.service_s) * (phi * (1.0 - phi)).sqrt() / self.workers
    }

    fn mean_service_s(self, phi: f64) -> f64 {
        phi * self.timeout_s + (1.0 - phi) * self.service_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean wait of `n` attempts at a constant rate, first come first served, each dead with `phi`.
    fn simulated_wait_s(pool: SharedPool, phi: f64, n: u64, draws: Draws) -> (f64, f64) {
        let mut free_at = vec![0.0f64; pool.workers as usize];
        let (mut waited, mut dead) = (0.0, 0.0);
        for i in 0..n {
            let due = i as f64 / pool.lambda;
            let first = free_at.iter_mut().min_by(|a, b| a.total_cmp(b)).unwrap();
            let start = first.max(due);
            let is_dead = draws.unit(Purpose::FaultHit, 3, i) < phi;
            *first = start + if is_dead { pool.timeout_s } else { pool.service_s };
            waited += start - due;
            dead += f64::from(u8::from(is_dead));
        }
        (waited / n as f64, dead / n as f64)
    }

    #[test]
    fn a_shared_pool_falls_over_at_its_threshold_as_published_and_as_simulated() {
        let pool = SharedPool { workers: 100.0, lambda: 100.0, service_s: 0.1, timeout_s: 30.0 };
        assert!((pool.threshold() - 0.0301).abs() < 5e-5);
        let (n, window_s) = (100_000, 1_000.0);
        let (below, _) = simulated_wait_s(pool, 0.024, n, Draws::new(5));
        assert!(below < 1.0 && pool.mean_wait_s(0.024, window_s) == 0.0, "{below}");
        let mut squares = 0.0;
        for seed in 0..40 {
            let (above, phi) = simulated_wait_s(pool, 0.05, n, Draws::new(seed));
            let (mean, sd) = (pool.mean_wait_s(phi, window_s), pool.mean_wait_sd_s(phi, window_s));
            assert!((above - mean).abs() < 4.0 * sd, "{above} against {mean} +- {sd}");
            squares += ((above - mean) / sd).powi(2);
        }
        // Chi-squared with 40 degrees of freedom: 18 to 73 holds 99.9 %.
        assert!((18.0..73.0).contains(&squares), "{squares}");
    }

    #[test]
    fn a_pair_is_inverted_as_often_as_drawn_failures_say() {
        let (n, draws) = (200_000u64, Draws::new(11));
        for p in [0.05, 0.4] {
            let failures = |i: u64, of| (0..).take_while(|k| draws.unit(Purpose::FaultHit, of, i << 8 | k) < p).count();
            let inverted = (0..n).filter(|&i| failures(i, 4) > failures(i, 5)).count() as f64;
            let q = inverted_share(p);
            assert!((inverted - q * n as f64).abs() < 4.0 * (q * (1.0 - q) * n as f64).sqrt(), "{p}: {inverted}");
        }
        assert!((inverted_share(0.05) - 0.0476).abs() < 5e-5);
    }
    use crate::rng::{Draws, Purpose};

    const LOSSES: Losses = Losses { p_r: 0.3, p_a: 0.2, k: 4 };

    /// (attempts, receipts, gave up) of event `i`, drawn.
    fn deliver(losses: Losses, draws: Draws, i: u64) -> (u32, u32, bool) {
        let mut receipts = 0;
        for attempt in 1..=losses.k {
            let key = i << 8 | u64::from(attempt);
            if draws.unit(Purpose::FaultHit, 1, key) < losses.p_r {
                continue;
            }
            receipts += 1;
            if draws.unit(Purpose::FaultHit, 2, key) >= losses.p_a {
                return (attempt, receipts, false);
            }
        }
        (losses.k, receipts, true)
    }

    #[test]
    fn losses_agree_with_the_published_row_and_with_a_simulation() {
        assert!((LOSSES.attempts() - 1.7188).abs() < 5e-5);
        assert!((LOSSES.receipts() - 1.2031).abs() < 1e-4);
        assert!((LOSSES.duplicates() - 0.2112).abs() < 1e-4);
        assert!((LOSSES.gave_up() - 0.03748).abs() < 1e-5);
        let n = 200_000u64;
        let (mut attempts, mut receipts, mut duplicates, mut gave_up) = (0u64, 0u64, 0u64, 0u64);
        for i in 0..n {
            let (a, r, g) = deliver(LOSSES, Draws::new(7), i);
            attempts += u64::from(a);
            receipts += u64::from(r);
            duplicates += u64::from(r.saturating_sub(1));
            gave_up += u64::from(g);
        }
        let [a, r, d] = LOSSES.enumerate();
        for (sum, moments) in [(attempts, a), (receipts, r), (duplicates, d)] {
            let errors = (sum as f64 / n as f64 - moments.mean) / (moments.sd / (n as f64).sqrt());
            assert!(errors.abs() < 4.0, "{errors}");
        }
        assert!((gave_up as f64 / n as f64 / LOSSES.gave_up() - 1.0).abs() < 0.05);
    }

    #[test]
    fn the_enumeration_repeats_the_closed_forms_also_at_the_edges() {
        for (p_r, p_a, k) in [(0.3, 0.2, 4), (0.0, 0.0, 10), (1.0, 0.5, 3), (0.0, 1.0, 5), (0.5, 0.0, 1)] {
            let losses = Losses { p_r, p_a, k };
            let [a, r, d] = losses.enumerate();
            let closed = [losses.attempts(), losses.receipts(), losses.duplicates()];
            for (enumerated, closed) in [a, r, d].iter().zip(closed) {
                assert!((enumerated.mean - closed).abs() < 1e-12, "{losses:?}");
            }
        }
    }

    #[test]
    fn adaptive_and_long_polls_agree_with_the_published_rows() {
        // models.md S6: 10 to 640 s at one event per 600 s.
        let found = adaptive(1.0 / 600.0, 10.0, 640.0, 2.0);
        assert!((found.polls_per_s - 0.007204).abs() < 1e-6, "{found:?}");
        assert!((found.mean_age_s - 193.0).abs() < 0.1, "{found:?}");
        // With one gap only it is a fixed interval.
        let fixed = adaptive(0.5, 2.0, 2.0, 2.0);
        assert!((fixed.polls_per_s - 0.5).abs() < 1e-9 && (fixed.mean_age_s - 1.0).abs() < 1e-9);
        // S7 without its round trip of 0.2 s: 1/rate = C - r e^(...) there.
        for (lambda, published) in [(0.05, 0.06417), (2.0, 1.869)] {
            let (r, d): (f64, f64) = (0.2, 1e6);
            let cycle = r + libm::exp(-lambda * r) * d / long_polls(lambda, 30.0, d).polls;
            assert!((1.0 / cycle / published - 1.0).abs() < 1e-3, "{lambda}");
        }
    }

    #[test]
    fn long_polls_are_counted_to_the_last_one_however_short_the_window() {
        let (draws, n) = (Draws::new(5), 100_000u64);
        for (lambda, hold, d) in [(0.5, 2.0, 3.0), (0.2, 1.0, 7.5), (2.0, 30.0, 4.0)] {
            let (mut polls, mut empty) = (0u64, 0u64);
            for i in 0..n {
                let (mut now, mut event, mut k) = (0.0, 0.0, 0);
                while now < d {
                    if event <= now {
                        k += 1;
                        event = now - libm::log(1.0 - draws.unit(Purpose::Arrival, i, k)) / lambda;
                    }
                    let answered = event < d && event <= now + hold;
                    polls += 1;
                    empty += u64::from(!answered);
                    now = if answered { event } else { now + hold };
                }
            }
            let (form, n) = (long_polls(lambda, hold, d), n as f64);
            assert!((polls as f64 / n / form.polls - 1.0).abs() < 0.01, "{polls} against {form:?}");
            assert!((empty as f64 / n / form.empty - 1.0).abs() < 0.01, "{empty} against {form:?}");
        }
        // Nothing ever comes: at the start and after each hold.
        assert_eq!(long_polls(0.0, 30.0, 60.0), LongPolls { polls: 2.0, empty: 2.0 });
        assert_eq!(long_polls(0.0, 30.0, 61.0), LongPolls { polls: 3.0, empty: 3.0 });
    }

    #[test]
    fn a_hybrid_agrees_with_a_simulation_and_with_its_one_line_form() {
        let once = Hybrid { p_r: 0.002, offsets_s: &[0.0], poll_s: 900.0 };
        assert!((once.mean_age_s() - 0.9).abs() < 1e-9 && (once.poll_first() - 0.002).abs() < 1e-12);
        let hybrid = Hybrid { p_r: 0.4, offsets_s: &[0.0, 1.0, 7.0], poll_s: 5.0 };
        let (draws, n) = (Draws::new(11), 200_000u64);
        let (mut sum, mut square, mut first) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let arrives = |k: usize| draws.unit(Purpose::FaultHit, k as u64, i) >= hybrid.p_r;
            let pushed = (0..3).find(|&k| arrives(k)).map_or(f64::INFINITY, |k| hybrid.offsets_s[k]);
            let polled = draws.unit(Purpose::Phase, 9, i) * hybrid.poll_s;
            let age = pushed.min(polled);
            sum += age;
            square += age * age;
            first += f64::from(u8::from(polled < pushed));
        }
        let n = n as f64;
        assert!((sum / n / hybrid.mean_age_s() - 1.0).abs() < 0.01, "{}", sum / n);
        assert!((square / n / hybrid.mean_square_age() - 1.0).abs() < 0.02, "{}", square / n);
        assert!((first / n / hybrid.poll_first() - 1.0).abs() < 0.01, "{}", first / n);
    }

    #[test]
    fn polling_ages_and_waste_agree_with_a_simulation() {
        let (t, jitter, draws, n) = (5.0, 0.5, Draws::new(3), 200_000u64);
        // Poll instants with jitter, and events uniform over the same time.
        let at = |i: u64| (i as f64 + jitter * (draws.unit(Purpose::PollJitter, 0, i) - 0.5)) * t;
        let polls: Vec<f64> = (0..n).map(at).collect();
        let span = (n - 2) as f64 * t;
        let age = |i: u64| {
            let event = draws.unit(Purpose::Arrival, 0, i) * span;
            polls[polls.partition_point(|poll| *poll < event)] - event
        };
        let mean = (0..n).map(age).sum::<f64>() / n as f64;
        assert!((mean / polling_mean_age_s(t, jitter) - 1.0).abs() < 0.006, "{mean}");
        assert_eq!(polling_age_quantile_s(300.0, 0.99), 297.0);
        assert_eq!(super::polls(20, 60.0, 5.0), 240.0);
        // Zapier's row: x = 0.015452 leaves 98.467 % of polls empty.
        assert!((empty_share(0.015_452, 1.0) - 0.984_67).abs() < 1e-5);
    }
}
