//! Medians and spreads over rounds, and the machine that they were measured on.

use serde_json::{Value, json};

/// One quantity over the rounds.
#[derive(Debug, Clone, Default)]
pub struct Figure(Vec<f64>);

impl Figure {
    /// Notes one round's value.
    pub fn note(&mut self, value: f64) {
        self.0.push(value);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The median; of an even number the mean of the middle two.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
        }
    }

    /// The least and the greatest.
    pub fn spread(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted.first().copied().unwrap_or(f64::NAN), sorted.last().copied().unwrap_or(f64::NAN))
    }

    /// `0.52 (0.49 to 0.55)`.
    pub fn told(&self, digits: usize) -> String {
        let (least, greatest) = self.spread();
        format!("{:.digits$} ({least:.digits$} to {greatest:.digits$})", self.median())
    }

    /// Median, spread and every round.
    pub fn json(&self) -> Value {
        let (least, greatest) = self.spread();
        json!({ "median": self.median(), "least": least, "greatest": greatest, "rounds": self.0 })
    }
}

/// What stands beside every figure: cores, processor, kernel.
pub fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": model.unwrap_or("unknown"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load_before": read("/proc/loadavg").split(' ').next().unwrap_or_default(),
    })
}
