//! A log whose entries are stamped before they can be seen, and clients that look back for them.
//!
//! A row takes its created time when it is written and shows when its transaction commits. A cursor that
//! has passed the created time by then has passed the row (models: commit lag).

use super::world::World;
use crate::{
    model::{Event, Seq, Span, Time},
    policy::log::Stretch,
    rng::Purpose,
};

/// No draw of an exponential distribution from 53 bits is longer than so many of its means.
const MEANS_MAX: u64 = 37;

/// No transaction takes longer to commit.
pub(super) fn longest(mean: Span) -> Span {
    Span(mean.0.saturating_mul(MEANS_MAX))
}

impl World<'_> {
    /// Leaves out of an answer what has not committed yet; what is left is at most a page. The end of what
    /// shows is then the head of the log, as far as a client can tell.
    pub(super) fn leave_out_uncommitted(&self, stretch: &mut Stretch, mean: Span, limit: usize) {
        stretch.events.retain(|event| self.committed_at(event, mean) <= self.now);
        stretch.more = stretch.events.len() > limit;
        stretch.events.truncate(limit);
        stretch.head = stretch.events.last().map_or(0, |event| event.seq);
    }

    fn committed_at(&self, event: &Event, mean: Span) -> Time {
        let lag = self.draws.exponential(Purpose::CommitLag, 0, u64::from(event.seq)) * mean.0 as f64;
        event.occurred_at + Span(lag as u64)
    }

    /// Where a request starts whose cursor stands at `after`: the first page of a poll looks back as far as
    /// its client's overlap says.
    pub(super) fn looks_back_to(&self, no: u32, after: Seq) -> Seq {
        let client = &self.pull.clients[no as usize];
        let overlap = self.pull.groups[usize::from(client.consumer)].as_ref().map(|group| group.polling.cursor_overlap);
        let first = client.round.as_ref().is_some_and(|round| round.page == 1);
        match overlap {
            Some(overlap) if first && after > 0 && overlap > Span::ZERO => self.log.created_before(after, overlap),
            _ => after,
        }
    }
}
