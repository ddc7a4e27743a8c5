//! The polls of a day of the calendar that bring nothing, made together.
//!
//! What such a poll leaves behind ([`super::uneventful`]) is its client's next poll and a count: sums and maxima
//! are the same in whatever order they are made, draws are keyed, and the calendar sorts what is put into it. What
//! decides whether a poll is one of them is its own client's: what is announced, which is the same until the next
//! notice, its cursor, which nobody moves while it waits, and its own draw. So the order of such polls among
//! themselves and among all else that happens on that day cannot be told from the records. They need no sorting,
//! and, one after the other without anything in between, they neither wait for memory nor for the draw before.
//! What is left of the day goes in its order.

use super::{poll_queue::Entry, pull::Pull, world::World};
use crate::model::Time;

impl World<'_> {
    /// Opens days of the calendar, until there is one with a poll that is more than a step.
    #[inline]
    pub(super) fn open_day(&mut self) {
        while self.pull.queue.turn_over() {
            self.look_at_opened();
            if let Some(swept) = self.pull.sweep.take() {
                self.pull.sweep = Some(self.sweep(swept));
            }
            self.pull.queue.sort();
        }
    }

    /// Reads those whose polls are on the open day, all at once: each lies in far memory, and to wait for several
    /// together takes as long as for one.
    fn look_at_opened(&mut self) {
        let Pull { clients, queue, .. } = &mut self.pull;
        let each = queue.opened().iter().map(|entry| clients[entry.client() as usize].announced);
        std::hint::black_box(each.fold(0, |seen, announced| seen ^ announced));
    }

    /// Makes the polls of the open day that bring nothing for certain: those before the next notice, and within
    /// the window of arrivals. `swept` is empty, and is so again.
    fn sweep(&mut self, mut swept: Vec<u32>) -> Vec<u32> {
        let mut opened = std::mem::take(self.pull.queue.opened());
        let before = self.arrivals.notice_at().unwrap_or(Time::MAX).min(self.window_end);
        opened.retain(|entry: &Entry| {
            let no = entry.client();
            let goes = self.pull.clients[no as usize].beat.due.at < before && self.is_uneventful(no);
            if goes {
                swept.push(no);
            }
            !goes
        });
        self.pull.stepped += swept.len() as u64;
        for no in swept.drain(..) {
            self.poll_in_vain(no, self.pull.clients[no as usize].beat.due.at);
        }
        *self.pull.queue.opened() = opened;
        swept
    }
}
