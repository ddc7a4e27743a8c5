//! When endpoints were switched off.

use crate::{
    model::{ClientNo, Time},
    record::Record,
};

/// The windows in which endpoints of one consumer were switched off.
#[derive(Debug, Default)]
pub(super) struct Switches {
    /// From, until; `MAX` where it never came back.
    windows: Vec<(ClientNo, Time, Time)>,
}

impl Switches {
    pub(super) fn see(&mut self, record: &Record) {
        match *record {
            Record::EndpointDisabled { client, at, .. } => {
                self.close(client, at);
                self.windows.push((client, at, Time::MAX));
            }
            Record::EndpointEnabled { client, at, .. } => self.close(client, at),
            _ => {}
        }
    }

    fn close(&mut self, client: ClientNo, at: Time) {
        let open = self.windows.iter_mut().rev().find(|(of, _, until)| *of == client && *until == Time::MAX);
        if let Some((_, _, until)) = open {
            *until = at;
        }
    }

    /// How often an endpoint was switched off.
    pub(super) fn count(&self) -> u64 {
        self.windows.len() as u64
    }

    /// The stretches of time in which any was off, in order.
    pub(super) fn off(&self) -> Vec<(Time, Time)> {
        let mut windows: Vec<(Time, Time)> = self.windows.iter().map(|&(_, from, until)| (from, until)).collect();
        windows.sort_unstable();
        let mut merged: Vec<(Time, Time)> = Vec::new();
        for (from, until) in windows {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => merged.push((from, until)),
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DisabledBy;

    #[test]
    fn windows_are_counted_each_and_shown_together() {
        let mut switches = Switches::default();
        let off = |client, at, until| Record::EndpointDisabled {
            consumer: 0,
            client,
            at: Time(at),
            until,
            why: DisabledBy::Failures(3),
        };
        let on = |client, at| Record::EndpointEnabled { consumer: 0, client, at: Time(at) };
        for record in [off(1, 10, Some(Time(20))), off(2, 15, None), on(1, 20), on(2, 30), off(1, 40, None)] {
            switches.see(&record);
        }
        assert_eq!(switches.count(), 3);
        assert_eq!(switches.off(), [(Time(10), Time(30)), (Time(40), Time::MAX)]);
    }
}
