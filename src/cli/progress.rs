//! The progress line of a run, on stderr and only where a person looks.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{live::orchestrator::Snapshot, scenario::Plan};

/// Shows how far a run is. Cheap to clone.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    names: Vec<String>,
}

impl Progress {
    pub fn new(plan: &Plan) -> Progress {
        let bar = if std::io::stderr().is_terminal() {
            let total_ms = Duration::from(plan.duration).as_millis() as u64;
            let bar = ProgressBar::new(total_ms.max(1));
            let style = ProgressStyle::with_template("{bar:24} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        } else {
            ProgressBar::hidden()
        };
        Progress { bar, names: plan.consumers.iter().map(|consumer| consumer.name.clone()).collect() }
    }

    pub fn show(&self, snapshot: &Snapshot) {
        self.bar.set_position(Duration::from_nanos(snapshot.now.0).as_millis() as u64);
        let phase = if snapshot.draining { "draining" } else { "running" };
        let mut message = format!("{phase} {:.0} s  emitted {}", snapshot.now.as_secs_f64(), snapshot.provider.emitted);
        if snapshot.provider.open > 0 {
            message.push_str(&format!("  open {}", snapshot.provider.open));
        }
        for (consumer, (progress, lives)) in &snapshot.consumers {
            let name = self.names.get(usize::from(*consumer)).map_or("?", String::as_str);
            let state = if *lives { progress.applied.to_string() } else { "down".to_owned() };
            message.push_str(&format!("  {name} {state}"));
        }
        self.bar.set_message(message);
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
