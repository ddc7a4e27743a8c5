//! The pull side: who polls, and when.
//!
//! A poll that finds nothing is one step, or less ([`super::uneventful`]). Any other goes the whole way
//! ([`super::poll`]): asks, is answered ([`super::pull_api`]), stores, saves its cursor, asks for the next
//! page.

use super::{
    Pace,
    combs::Combs,
    commit_lag,
    line::Line,
    link,
    poll::Round,
    poll_queue::PollQueue,
    shares::Shares,
    slab::Slab,
    undisturbed::{self, Undisturbed},
};
use crate::{
    fault::{FaultPlan, Odds, TargetPath},
    model::{ClientNo, Seq, Span, Time},
    policy::{
        poll::{Beat, Rhythm},
        rate::RateLimiter,
    },
    record::{CursorPosition, PollTallies, Record},
    rng::Draws,
    scenario::{ConsumerNo, ConsumerPlan, Follows, On429, Plan, PollingPlan},
};

/// Everything that polls.
#[derive(Debug)]
pub(super) struct Pull<'a> {
    pub clients: Vec<PollClient>,
    /// By consumer.
    pub groups: Vec<Option<Group<'a>>>,
    /// By provider.
    pub limits: Vec<Option<RateLimiter<(ConsumerNo, ClientNo)>>>,
    /// By provider: the line in front of its pull API, where that takes its time.
    pub lines: Vec<Option<Line>>,
    /// The polls that are due.
    pub queue: PollQueue,
    /// Clients that do not yet know that there is nothing more, and are not held by the provider until there
    /// is either.
    pub awaited: u32,
    /// Clients that are in no queue: their polls find nothing until they are woken.
    pub asleep: u32,
    /// Polls under way that nobody can disturb.
    pub undisturbed: Slab<Undisturbed>,
    /// Polls that were steps of their own.
    pub stepped: u64,
    /// Where polls that are swept away are noted in the meantime; none where each is to be made in its turn.
    pub sweep: Option<Vec<u32>>,
}

/// What the clients of one consumer share.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub polling: &'a PollingPlan,
    pub provider: usize,
    pub first: u32,
    pub rhythm: Rhythm,
    pub clients: u32,
    /// Whether each of its clients follows a share of its own.
    pub own: bool,
    /// Whether its clients poll only when they are pinged.
    pub pinged: bool,
    /// Whether it asks for news only.
    pub conditional: bool,
    /// Whether a poll that finds nothing and meets no fault touches nobody else.
    pub calm: bool,
    /// Whether a poll that finds something may be undisturbed.
    pub may_be_undisturbed: bool,
    /// The faults of the plan that may hit its polls.
    pub faults: Vec<MayHit<'a>>,
    /// Whether the answer is always there before the next poll is due.
    pub roomy: bool,
    /// The least time between two polls that its clients keep because the provider asks for it.
    pub hint: Option<Span>,
    /// From here on nothing new can become visible.
    pub over: Time,
    pub tallies: PollTallies,
    /// Counts the polls of those who sleep, where its clients may.
    pub combs: Option<Combs>,
    /// What lies behind its clients' cursors, unless the log has an index of their shares.
    pub shares: Option<Shares>,
}

/// A fault that may hit a poll, and its odds, if it has some.
#[derive(Debug)]
pub(super) struct MayHit<'a> {
    pub fault: &'a FaultPlan,
    pub odds: Option<Odds>,
}

/// A sequence, or none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(Seq);

impl Mark {
    /// None yet. No log is as long.
    pub const NONE: Mark = Mark(Seq::MAX);

    pub fn at(seq: Seq) -> Mark {
        Mark(seq)
    }

    pub fn get(self) -> Option<Seq> {
        Some(self.0).filter(|_| self != Mark::NONE)
    }
}

/// One client: a line of the processor's cache, of which there may be a million.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct PollClient {
    pub beat: Beat,
    pub consumer: ConsumerNo,
    /// Whether it knows that there is nothing more.
    pub quiet: bool,
    pub asleep: bool,
    /// The last event of its own share that is announced.
    pub announced: Seq,
    /// Where the next poll starts.
    pub cursor: Mark,
    /// What is durable of it.
    pub saved: Mark,
    pub etag: Mark,
    /// The last request's token: no later one has it again.
    pub token: u32,
    /// The poll under way, if it is more than a step.
    pub round: Option<Box<Round>>,
}

impl PollClient {
    /// Its number within its consumer.
    pub fn number(&self) -> ClientNo {
        self.beat.client
    }
}

impl<'a> Group<'a> {
    fn new(plan: &'a Plan, consumer: ConsumerNo, first: u32, draws: Draws, pace: Pace) -> Option<Group<'a>> {
        let mine = &plan.consumers[usize::from(consumer)];
        let polling = mine.polling()?;
        let (end, provider) = (Time::ZERO + plan.duration, usize::from(mine.provider));
        let pull = &plan.providers[provider].pull;
        let rhythm = Rhythm::new(polling.strategy.clone(), draws, 0);
        let (there, back) = (link::longest(&plan.virtual_time), link::longest(&plan.virtual_time));
        let hint = pull.poll_interval_hint.filter(|_| polling.on_429 == On429::Respect);
        let longest = (there + back).max(hint.unwrap_or(Span::ZERO));
        let calm = is_calm(plan, mine, polling);
        let faults = plan.faults.iter().filter(|fault| fault.may_hit(consumer, TargetPath::Poll));
        let faults = faults.map(|fault| MayHit { fault, odds: fault.selector.odds(fault.index) });
        let mut group = Group {
            polling,
            provider,
            first,
            clients: mine.clients.max(1),
            own: mine.follows == Follows::Own,
            pinged: polling.strategy.ping().is_some(),
            conditional: polling.strategy.is_conditional(),
            may_be_undisturbed: pace != Pace::StepByStep && undisturbed::may_be(plan, mine, calm),
            calm,
            faults: faults.collect(),
            // Pings come when they come, and do not ask whether an answer is still on its way.
            roomy: rhythm.shortest_gap() >= longest && polling.strategy.ping().is_none(),
            hint,
            over: end + pull.view_lag + pull.commit_lag.map_or(Span::ZERO, commit_lag::longest),
            tallies: PollTallies::new(consumer, end),
            combs: None,
            shares: None,
            rhythm,
        };
        // Who is not calm may be far behind.
        group.shares = (group.calm && group.own).then(Shares::default);
        group.combs = group.sleeps(mine.clients).filter(|_| pace == Pace::Skip).map(|gap| Combs::new(gap, end));
        Some(group)
    }

    /// The time between two polls, where its clients may sleep: each poll is due for certain, and brings
    /// nothing for certain until an event of the client's own share is announced. Where there are fewer polls
    /// than seconds it is not worth while.
    fn sleeps(&self, clients: u32) -> Option<Span> {
        let undisturbed = self.calm && self.faults.is_empty() && self.own && self.roomy;
        self.rhythm.even_gap().filter(|gap| undisturbed && *gap <= Span::from_secs(u64::from(clients)))
    }
}

/// Whether polls of this consumer that find nothing and meet no fault change nothing but the tallies.
/// Whatever makes such a poll matter to somebody else, or makes its answer depend on more than the log, has
/// to be named here: a limit that it counts towards, a server that it keeps busy, a client that is wrong.
fn is_calm(plan: &Plan, mine: &ConsumerPlan, polling: &PollingPlan) -> bool {
    let provider = &plan.providers[usize::from(mine.provider)];
    provider.pull.rate_limit.is_none()
        && provider.pull.service_time.is_none()
        && provider.pull.commit_lag.is_none()
        && polling.cursor_overlap == Span::ZERO
        && polling.strategy.hold().is_none()
        && polling.strategy.state().is_none()
        && mine.flaw.is_none()
}

impl<'a> Pull<'a> {
    /// The clients of a plan, none of which has polled.
    pub fn new(plan: &'a Plan, draws: Draws, pace: Pace) -> Pull<'a> {
        let (mut clients, mut groups) = (Vec::new(), Vec::new());
        let (mut per_second, mut longest_gap) = (0.0, Span::ZERO);
        for (consumer, mine) in (0..).zip(&plan.consumers) {
            let group = Group::new(plan, consumer, clients.len() as u32, draws, pace);
            if let Some(Group { rhythm, polling, combs, .. }) = &group {
                let gap = polling.strategy.shortest_gap();
                let most = f64::from(mine.clients) / gap.as_secs_f64();
                // Who sleeps is in the queue for the polls that bring something.
                per_second += if combs.is_some() { most.min(plan.workload.arrivals.rate_per_sec()) } else { most };
                longest_gap = longest_gap.max(gap);
                clients.extend((0..mine.clients).map(|number| PollClient {
                    beat: rhythm.begin(number, Time::ZERO),
                    consumer,
                    // Nobody waits for a client that polls only when it is pinged: its pings are waited for.
                    quiet: polling.strategy.ping().is_some(),
                    asleep: false,
                    announced: 0,
                    cursor: Mark::NONE,
                    saved: Mark::NONE,
                    etag: Mark::NONE,
                    token: 0,
                    round: None,
                }));
            }
            groups.push(group);
        }
        let limits = plan.providers.iter().map(|provider| provider.pull.rate_limit.map(RateLimiter::new)).collect();
        let lines = plan.providers.iter().map(|provider| provider.pull.service_time.map(Line::new)).collect();
        let each = || groups.iter().flatten();
        let sweeps = pace != Pace::StepByStep && each().any(|group| group.calm && group.combs.is_none());
        // What is swept away needs no sorting.
        let per_day = if sweeps && each().all(|group| group.calm) { 64 } else { 8 };
        let queue = PollQueue::new(clients.len(), per_second, longest_gap, per_day);
        let awaited = clients.iter().filter(|client| !client.quiet).count() as u32;
        let (undisturbed, sweep) = (Slab::new(), sweeps.then(Vec::new));
        Pull { clients, groups, limits, lines, queue, awaited, asleep: 0, undisturbed, stepped: 0, sweep }
    }

    /// The numbers of clients whose shares the log must have an index of.
    pub fn indexed(&self, plan: &Plan) -> Vec<u32> {
        let groups = self.groups.iter().zip(&plan.consumers);
        let indexed =
            groups.filter(|(group, _)| group.as_ref().is_some_and(|group| group.own && group.shares.is_none()));
        indexed.map(|(_, mine)| mine.clients.max(1)).collect()
    }

    /// The provider holds a client's request until then, or lets go of it; true where it held it.
    pub fn set_held(&mut self, no: u32, until: Option<Time>) -> bool {
        let client = &mut self.clients[no as usize];
        let Some(round) = client.round.as_mut() else { return false };
        let held = std::mem::replace(&mut round.held, until).is_some();
        match (held, until.is_some()) {
            _ if client.quiet => {}
            (false, true) => self.awaited -= 1,
            (true, false) => self.awaited += 1,
            _ => {}
        }
        held
    }

    /// What is left to say at the end: the polls that found nothing, those that are being held, and
    /// the durable cursors.
    pub fn residue(&mut self, each: &mut dyn FnMut(Record)) {
        for client in &self.clients {
            let Some(round) = client.round.as_ref().filter(|round| round.held.is_some()) else { continue };
            if let Some(group) = self.groups[usize::from(client.consumer)].as_mut() {
                group.tallies.count(round.due.at, round.sent, false);
            }
        }
        for group in self.groups.iter_mut().flatten() {
            let passed = group.combs.take().into_iter().flat_map(Combs::sum);
            passed.for_each(|(second, empty, not_modified)| group.tallies.count_many(second, empty, not_modified));
            group.tallies.drain(each);
        }
        for client in &self.clients {
            if let Some(seq) = client.saved.get() {
                let (consumer, client) = (client.consumer, client.number());
                each(Record::Cursor { consumer, client, passed: CursorPosition::Seq(seq) });
            }
        }
    }
}
