//! Polls that bring nothing and touch nobody else: one step each, or passed over many at a time.
//!
//! Such a poll changes only the tallies, so nobody can tell whether it was made. Where the time from one
//! poll to the next is always the same, its client falls asleep, and wakes when an event of its share is
//! announced: the polls in between are counted at once. A client that is awake takes the same steps at the
//! same instants as it would have taken in a run in which nobody sleeps, so the records are the same to the
//! byte.

use super::{
    link::{self, Leg},
    pull::{Group, Mark, MayHit, PollClient, Pull},
    world::World,
};
use crate::{
    fault::{Target, TargetPath},
    model::{Event, Seq, Span, Time},
    policy::poll::{Came, Due},
    scenario::{Follows, On429},
};

impl World<'_> {
    /// A client's poll is due; tells whether it was a step that touches nobody else.
    #[inline]
    pub(super) fn poll(&mut self, no: u32) -> bool {
        self.pull.stepped += 1;
        let uneventful = self.is_uneventful(no);
        if uneventful {
            self.poll_in_vain(no, self.now);
        } else if !self.poll_undisturbed(no) {
            self.begin_poll(no);
        }
        uneventful
    }

    /// Whether it is certain that the poll that is due brings nothing and touches nobody else. What speaks
    /// against it is a matter of the plan (`is_calm`), of what is announced, or of a fault.
    #[inline]
    pub(super) fn is_uneventful(&self, no: u32) -> bool {
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return false };
        group.calm && self.has_seen_all(client, group) && !self.is_hit(no, group)
    }

    /// Whether a client has seen every event of its share that a request can meet that leaves now.
    #[inline]
    fn has_seen_all(&self, client: &PollClient, group: &Group<'_>) -> bool {
        self.announced_to(client, group) <= client.cursor.get().unwrap_or(0)
    }

    #[inline]
    fn announced_to(&self, client: &PollClient, group: &Group<'_>) -> Seq {
        if group.own { client.announced } else { self.arrivals.announced_upto() }
    }

    #[inline]
    pub(super) fn is_hit(&self, no: u32, group: &Group<'_>) -> bool {
        let PollClient { beat, .. } = &self.pull.clients[no as usize];
        // A draw is a few instructions, all else that a fault may ask for a look at each of it.
        group.faults.iter().any(|MayHit { fault, odds }| {
            fault.selector.window_holds(beat.due.at)
                && !odds.is_some_and(|odds| odds.spare(beat.client, beat.due.number, self.hits))
                && fault.chooses(&self.target(no, beat.due, 1), self.hits)
        })
    }

    /// A poll that found nothing at `now`, as one step.
    #[inline]
    pub(super) fn poll_in_vain(&mut self, no: u32, now: Time) {
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        let newest = self.announced_to(client, group);
        let free = if group.roomy { now } else { now + self.round_trip(no, client.beat.due) };
        let Pull { clients, groups, awaited, .. } = &mut self.pull;
        let client = &mut clients[no as usize];
        let Some(group) = &mut groups[usize::from(client.consumer)] else { return };
        let unchanged = group.conditional && client.etag == Mark::at(newest);
        client.etag = Mark::at(newest);
        group.tallies.count(client.beat.due.at, now, unchanged);
        if !client.quiet && client.beat.due.at > group.over {
            client.quiet = true;
            *awaited -= 1;
        }
        let free = group.hint.map_or(free, |hint| free.max(now + hint));
        group.rhythm.ended(&mut client.beat, Came::Nothing, free);
        if group.pinged {
            *awaited -= 1;
            return;
        }
        self.await_poll(no);
    }

    fn round_trip(&self, no: u32, due: Due) -> Span {
        let target = self.target(no, due, 1);
        self.delay(&target, Leg::Request) + self.delay(&target, Leg::Answer)
    }

    /// What faults and the network know of a request for a page.
    #[inline]
    pub(super) fn target(&self, no: u32, due: Due, page: u32) -> Target {
        let client = &self.pull.clients[no as usize];
        let (path, consumer, client) = (TargetPath::Poll, client.consumer, client.number());
        Target { path, consumer, client, number: due.number, attempt: page, copy: 0, at: due.at }
    }

    /// How long a message takes.
    pub(super) fn delay(&self, target: &Target, leg: Leg) -> Span {
        link::delay(&self.plan.virtual_time, self.draws, target, leg)
    }

    /// The poll that was due is over, and its client free from `free` on. The next one is put down.
    pub(super) fn rest(&mut self, no: u32, came: Came, sent: Time, free: Time, retry_after: Option<Span>) {
        let client = &mut self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        let asked = retry_after.filter(|_| group.polling.on_429 == On429::Respect);
        let free = asked.map_or(free, |span| free + span).max(group.hint.map_or(free, |span| sent + span));
        // Who looks back finds something for ever, and after the end nothing new.
        let in_vain = came == Came::Nothing || came == Came::Events && group.polling.cursor_overlap > Span::ZERO;
        if in_vain && client.beat.due.at > group.over && !client.quiet {
            client.quiet = true;
            self.pull.awaited -= 1;
        }
        group.rhythm.ended(&mut client.beat, came, free);
        if group.pinged {
            self.pull.awaited -= 1;
            return;
        }
        self.await_poll(no);
    }

    /// A client waits for its next poll: asleep, if it will bring nothing for a while.
    #[inline]
    pub(super) fn await_poll(&mut self, no: u32) {
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        let at = client.beat.due.at;
        if group.combs.is_some() && at < self.window_end && self.has_seen_all(client, group) {
            self.pull.clients[no as usize].asleep = true;
            self.pull.asleep += 1;
            return;
        }
        self.pull.queue.put(at, no);
    }

    /// An event will happen: whoever sleeps and must not miss it wakes before the first poll that may see it.
    pub(super) fn announce(&mut self) {
        let Some(notice_at) = self.arrivals.notice_at() else { return };
        let Some(Event { seq, subject, .. }) = self.arrivals.announce() else { return };
        self.look_ahead();
        for (consumer, mine) in self.plan.consumers.iter().enumerate() {
            let Some(group) = &self.pull.groups[consumer] else { continue };
            if mine.follows == Follows::Own {
                let no = group.first + subject % mine.clients.max(1);
                self.wake(no, notice_at);
                let before = std::mem::replace(&mut self.pull.clients[no as usize].announced, seq);
                if let Some(shares) = self.pull.groups[consumer].as_mut().and_then(|group| group.shares.as_mut()) {
                    shares.announce(before);
                }
            }
        }
    }

    /// Reads what will be wanted soon, many at once: a client of a million lies in far memory. Each place has a
    /// round of its own with next to nothing in it, so that as much as can be is waited for together.
    fn look_ahead(&mut self) {
        let known = self.arrivals.just_known();
        if known.len() == 0 {
            return;
        }
        let Pull { groups, clients, .. } = &self.pull;
        for group in groups.iter().flatten().filter(|group| group.own) {
            let mine = known.clone().map(|event| &clients[(group.first + event.subject % group.clients) as usize]);
            std::hint::black_box(mine.clone().fold(0, |seen, client| seen ^ client.announced));
            if let Some(combs) = &group.combs {
                let places = mine.map(|client| combs.look_at(client.beat.due.at, group.conditional));
                std::hint::black_box(places.fold(0, |seen, place| seen ^ place));
            }
        }
    }

    /// The window of arrivals ends: from here on the last ones to learn that there is nothing more decide
    /// when the run is over, and every poll is a step.
    pub(super) fn wake_all(&mut self) {
        for no in 0..self.pull.clients.len() as u32 {
            self.wake(no, self.window_end);
        }
    }

    /// Counts the polls that a sleeper was due to make before `until`, and puts down the next one.
    fn wake(&mut self, no: u32, until: Time) {
        let client = &mut self.pull.clients[no as usize];
        if !std::mem::take(&mut client.asleep) {
            return;
        }
        self.pull.asleep -= 1;
        let Some(group) = &mut self.pull.groups[usize::from(client.consumer)] else { return };
        let (Some(combs), Some(gap)) = (&mut group.combs, group.rhythm.even_gap()) else { return };
        let first = client.beat.due.at;
        let polls = until.since(first).0.div_ceil(gap.0);
        if polls > 0 {
            // The first one learns the ETag that the others send.
            let conditional = group.conditional;
            let told = conditional && client.etag == Mark::at(client.announced);
            client.etag = Mark::at(client.announced);
            if told == conditional {
                combs.count(first, polls, told);
            } else {
                combs.count(first, 1, told);
                combs.count(first + gap, polls - 1, conditional);
            }
            client.beat.pass(polls, gap);
        }
        self.pull.queue.put(client.beat.due.at, no);
    }
}
