//! Pages: what a limit on events per page costs, and what a client loses that reads one page only
//! (models.md 2.2).

/// Page requests per poll that finds what `x` events on average come to, at most `limit` to a page: the mean
/// of max(1, ceil(A / limit)) for A of Poisson.
#[must_use]
pub fn pages_per_poll(x: f64, limit: u32) -> f64 {
    over_poisson(x, |a| (a / f64::from(limit.max(1))).ceil().max(1.0))
}

/// The share of events that a client loses which reads one page per poll and takes the head as its cursor:
/// E[(A - limit)+] / x.
#[must_use]
pub fn one_page_loss(x: f64, limit: u32) -> f64 {
    if x <= 0.0 { 0.0 } else { over_poisson(x, |a| (a - f64::from(limit)).max(0.0)) / x }
}

/// The mean of `f` over a Poisson count of mean `x`. Sums outwards from the most likely count, so that no
/// term is lost in the others.
fn over_poisson(x: f64, f: impl Fn(f64) -> f64) -> f64 {
    let log = |a: f64| a * libm::log(x.max(f64::MIN_POSITIVE)) - x - libm::lgamma(a + 1.0);
    let reach = 12.0 * x.sqrt() + 30.0;
    let from = (x - reach).max(0.0).floor();
    let counts = (0..).map(|step| from + f64::from(step)).take_while(|a| *a <= x + reach);
    counts.map(|a| libm::exp(log(a)) * f(a)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_page_of_a_hundred_loses_what_was_published() {
        // models.md 2.2: x = 120, L = 100.
        assert!((one_page_loss(120.0, 100) - 0.168).abs() < 5e-4, "{}", one_page_loss(120.0, 100));
        assert!(one_page_loss(10.0, 100) < 1e-12 && one_page_loss(0.0, 100) == 0.0);
    }

    #[test]
    fn a_poll_needs_a_page_at_least_and_many_for_many_events() {
        assert!((pages_per_poll(0.0, 100) - 1.0).abs() < 1e-9);
        assert!((pages_per_poll(10.0, 1) - 10.0).abs() < 1e-3);
        assert!((pages_per_poll(10_000.0, 100) - 100.5).abs() < 0.01);
    }
}
