//! Where polling and webhooks cost the same (models.md 2.18).

/// Events per poll above which polling is the cheaper way, where a poll costs `per_poll` and a webhook
/// `per_webhook`.
#[must_use]
pub fn break_even_events_per_poll(per_poll: f64, per_webhook: f64) -> f64 {
    per_poll / per_webhook
}

/// The same as events per second, where each is to be `mean_age_s` old on average: polls are then twice that
/// apart.
#[must_use]
pub fn break_even_rate(per_poll: f64, per_webhook: f64, mean_age_s: f64) -> f64 {
    per_poll / (2.0 * mean_age_s * per_webhook)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_prices_break_even_at_a_quarter_of_an_event_per_poll() {
        assert!((break_even_events_per_poll(0.617, 2.504) - 0.246).abs() < 5e-4);
        assert!((break_even_events_per_poll(1.287, 1.38) - 0.93).abs() < 5e-3);
        // A poll a minute: 0.246 events a minute, at a mean age of half of one.
        assert!((break_even_rate(0.617, 2.504, 30.0) * 60.0 - 0.246).abs() < 5e-4);
    }
}
