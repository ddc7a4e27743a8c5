//! What a crash at a random instant does to what was under way.

/// Effects that a crash at a random instant repeats, where calls come at `lambda` per second and stay
/// unmarked for `window` seconds on average: as many as lie in the window (Little).
#[must_use]
pub fn repeats_per_crash(lambda: f64, window: f64) -> f64 {
    lambda * window
}
