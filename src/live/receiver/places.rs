//! Who is connected, and who has to go: those whose time is up and, when there is no room, those
//! who have kept us waiting longest.
//!
//! A request costs three stores into its place. The clock of all of them is one task that looks at
//! the places now and then: a timer per request costs more than the request's signature.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    task::Waker,
};

use tokio::sync::Notify;

use super::server::Limits;
use crate::model::{Span, Time};

/// A connection whose peer has been acked is not asked to leave for a stranger before it has been
/// idle this long: senders keep connections alive between events.
const KNOWN_GRACE: Span = Span::from_secs(1);

/// Who owes what on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The peer: a request's head, or reading our answers.
    Head,
    /// The peer: the rest of a body.
    Body,
    /// We: an answer.
    Ours,
}

/// Why a connection is ended from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Leave {
    /// The receiver stops.
    Stopping = 1,
    /// No complete head in time.
    SlowHead,
    /// Answers lie unread.
    Unread,
    /// Others wait for the place.
    Shed,
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Place {
    /// Since when it is whose turn: nanoseconds of the run's clock, and the turn in the lowest bits.
    turn: AtomicU64,
    /// The rest of a body is overdue.
    late: AtomicBool,
    /// The last answer was an ack.
    acked: AtomicBool,
    /// Any answer was.
    known: AtomicBool,
    /// A write waits for the peer to read.
    blocked: AtomicBool,
    /// 0, or a [`Leave`].
    leave: AtomicU8,
    /// The connection's task. It has one waker all its life.
    task: OnceLock<Waker>,
}

impl Place {
    fn new(now: Time) -> Place {
        Place {
            turn: AtomicU64::new(pack(now, Turn::Head)),
            late: AtomicBool::new(false),
            acked: AtomicBool::new(false),
            known: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            leave: AtomicU8::new(0),
            task: OnceLock::new(),
        }
    }

    /// A head is complete; the body may take its time from here.
    pub fn body_begins(&self, now: Time) {
        self.late.store(false, Ordering::Relaxed);
        self.turn.store(pack(now, Turn::Body), Ordering::Release);
    }

    /// The request is complete: the next move is ours, however long it takes.
    pub fn our_turn(&self, now: Time) {
        self.turn.store(pack(now, Turn::Ours), Ordering::Release);
    }

    /// The answer is given: the peer has to read it and to say what it wants next.
    pub fn answered(&self, acked: bool, now: Time) {
        self.acked.store(acked, Ordering::Relaxed);
        if acked {
            self.known.store(true, Ordering::Relaxed);
        }
        self.turn.store(pack(now, Turn::Head), Ordering::Release);
    }

    /// Whether the last answer was an ack.
    pub fn acked(&self) -> bool {
        self.acked.load(Ordering::Relaxed)
    }

    /// Whether the rest of the body is overdue.
    pub fn body_is_late(&self) -> bool {
        self.late.load(Ordering::Acquire)
    }

    /// Says whether a write waits for the peer.
    pub fn block(&self, blocked: bool) {
        if self.blocked.load(Ordering::Relaxed) != blocked {
            self.blocked.store(blocked, Ordering::Relaxed);
        }
    }

    /// Whether a write waits for the peer.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// Names the task to wake. Before [`Place::told_to_leave`] is asked.
    pub fn attend(&self, task: &Waker) {
        if self.task.get().is_none() {
            let _ = self.task.set(task.clone());
        }
    }

    /// Whether the connection has to end.
    pub fn told_to_leave(&self) -> Option<Leave> {
        match self.leave.load(Ordering::Acquire) {
            1 => Some(Leave::Stopping),
            2 => Some(Leave::SlowHead),
            3 => Some(Leave::Unread),
            4 => Some(Leave::Shed),
            _ => None,
        }
    }

    fn tell(&self, why: Leave) {
        self.leave.store(why as u8, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }

    fn look(&self, now: Time, limits: &Limits) {
        let (since, turn) = unpack(self.turn.load(Ordering::Acquire));
        let waited = now.since(since);
        match turn {
            Turn::Head if waited > limits.head_time && self.told_to_leave().is_none() => {
                self.tell(if self.is_blocked() { Leave::Unread } else { Leave::SlowHead });
            }
            Turn::Body if waited > limits.body_time => {
                self.late.store(true, Ordering::Release);
                self.wake();
            }
            Turn::Head | Turn::Body | Turn::Ours => {}
        }
    }

    /// Since when the peer keeps us waiting, strangers before peers that we know; `None` where it is
    /// our turn.
    fn sheddable(&self, now: Time) -> Option<(bool, Time)> {
        let (since, turn) = unpack(self.turn.load(Ordering::Acquire));
        let known = self.known.load(Ordering::Relaxed);
        let stays = turn == Turn::Ours || known && now.since(since) < KNOWN_GRACE || self.told_to_leave().is_some();
        (!stays).then_some((known, since))
    }
}

fn pack(now: Time, turn: Turn) -> u64 {
    now.0 << 2 | turn as u64
}

fn unpack(packed: u64) -> (Time, Turn) {
    let turn = match packed & 3 {
        0 => Turn::Head,
        1 => Turn::Body,
        _ => Turn::Ours,
    };
    (Time(packed >> 2), turn)
}

/// Every place there is.
#[derive(Debug)]
pub(super) struct Places {
    room: usize,
    taken: Mutex<Vec<Arc<Place>>>,
    freed: Notify,
}

impl Places {
    pub fn new(room: u32) -> Places {
        Places { room: room as usize, taken: Mutex::default(), freed: Notify::new() }
    }

    fn taken(&self) -> MutexGuard<'_, Vec<Arc<Place>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, if there is room.
    pub fn enter(&self, now: Time) -> Option<Arc<Place>> {
        let mut taken = self.taken();
        if taken.len() >= self.room {
            return None;
        }
        let place = Arc::new(Place::new(now));
        taken.push(Arc::clone(&place));
        Some(place)
    }

    /// Gives a place back.
    pub fn leave(&self, place: &Arc<Place>) {
        let mut taken = self.taken();
        if let Some(index) = taken.iter().position(|other| Arc::ptr_eq(other, place)) {
            taken.swap_remove(index);
        }
        drop(taken);
        self.freed.notify_one();
    }

    /// Returns when a place has been given back.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Asks whoever has kept us waiting longest to leave.
    pub fn shed(&self, now: Time) {
        let taken = self.taken();
        let longest = taken.iter().filter_map(|place| Some((place.sheddable(now)?, place)));
        if let Some((_, place)) = longest.min_by_key(|(waited, _)| *waited) {
            place.tell(Leave::Shed);
        }
    }

    /// Tells those whose time is up.
    pub fn look(&self, now: Time, limits: &Limits) {
        for place in self.taken().iter() {
            place.look(now, limits);
        }
    }

    /// Tells everybody that the receiver stops.
    pub fn close(&self) {
        for place in self.taken().iter() {
            place.tell(Leave::Stopping);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn at(seconds: u64) -> Time {
        Time(seconds * S)
    }

    #[test]
    fn strangers_go_before_known_peers_and_the_longest_waiting_first() {
        let places = Places::new(4);
        let [known, old, young, busy] = [0, 1, 2, 3].map(|second| places.enter(at(second)).unwrap());
        assert!(places.enter(at(3)).is_none());
        known.answered(true, at(0));
        busy.our_turn(at(3));
        let leaving = || [&known, &old, &young, &busy].map(|place| place.told_to_leave().is_some());
        for expected in [
            [false, true, false, false],
            [false, true, true, false],
            [true, true, true, false],
            // Nobody leaves while an answer is owed to them.
            [true, true, true, false],
        ] {
            places.shed(at(10));
            assert_eq!(leaving(), expected);
        }
        places.leave(&old);
        assert!(places.enter(at(10)).is_some());
    }

    #[test]
    fn a_known_peer_may_pause_before_it_goes_for_a_stranger() {
        let places = Places::new(1);
        let known = places.enter(at(0)).unwrap();
        known.answered(true, at(5));
        places.shed(at(5) + Span::from_millis(999));
        assert_eq!(known.told_to_leave(), None);
        places.shed(at(6));
        assert_eq!(known.told_to_leave(), Some(Leave::Shed));
    }

    #[test]
    fn each_turn_has_its_own_time_and_ours_has_none() {
        let limits = Limits { head_time: Span::from_secs(30), body_time: Span::from_secs(10), ..Limits::default() };
        let places = Places::new(4);
        let [head, unread, body, busy] = [0; 4].map(|second| places.enter(at(second)).unwrap());
        unread.block(true);
        body.body_begins(at(25));
        busy.our_turn(at(0));
        places.look(at(30), &limits);
        assert!([&head, &unread, &body, &busy].iter().all(|place| place.told_to_leave().is_none()));
        places.look(at(34), &limits);
        assert_eq!(head.told_to_leave(), Some(Leave::SlowHead));
        assert_eq!(unread.told_to_leave(), Some(Leave::Unread));
        assert!(!body.body_is_late());
        places.look(at(36), &limits);
        assert!(body.body_is_late() && body.told_to_leave().is_none());
        assert_eq!(busy.told_to_leave(), None);
    }
}
