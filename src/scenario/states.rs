//! What goes with polling for states, and what does not.

use super::{
    ConsumerPlan, EffectKind, Flaw, Follows, Path, ProviderPlan,
    error::{At, Problem},
    units::span_to_text,
};
use crate::{
    model::Span,
    policy::poll::{Ask, State, Strategy},
};

impl ConsumerPlan {
    /// Polls that a client needs to come to all of its subjects, of `subjects` in all: one, unless it asks
    /// after one each poll. Of clients that differ by one, the most.
    #[must_use]
    pub fn polls_per_round(&self, subjects: u32) -> u32 {
        match (self.state().map(|state| state.ask), self.follows) {
            (Some(Ask::Subject), Follows::Own) => subjects.div_ceil(self.clients.max(1)).max(1),
            (Some(Ask::Subject), Follows::All) => subjects.max(1),
            _ => 1,
        }
    }
}

/// Subjects that a provider keeps an index of, for those who ask after one each poll.
const SUBJECTS_MAX: u32 = 100_000;

/// Checks a consumer that polls for states, and fills in the overlap that its provider asks for; one that
/// polls for events must not have a state poller's flaw.
pub(super) fn settle(
    at: &At,
    plan: &mut ConsumerPlan,
    providers: &[ProviderPlan],
    subjects: u32,
) -> Result<(), Problem> {
    let flaw_at = at.key("flaw");
    let Some(state) = plan.state().cloned() else {
        return match plan.flaw {
            Some(Flaw::NoOverlap) => Err(flaw_at.problem(
                "\"no-overlap\" is a flaw of one who asks for what has changed since an instant",
                "write strategy = { kind = \"state\", ask = \"updated-since\", interval = \"5s\" }, or remove it",
            )),
            _ => Ok(()),
        };
    };
    check_effect(&at.key("effect"), plan.effect.kind)?;
    let strategy_at = at.key("strategy");
    match state.ask {
        Ask::Subject => check_looks(&strategy_at, &flaw_at, plan, subjects),
        Ask::UpdatedSince => {
            let provider = &providers[usize::from(plan.provider)];
            let overlap = settle_overlap(&strategy_at, &flaw_at, &state, provider, plan.flaw)?;
            if let Some(Strategy::State(state)) = strategy_of(plan) {
                state.overlap = Some(overlap);
            }
            Ok(())
        }
    }
}

/// A state replaces the state before it. Anything that counts events would count those it never saw as
/// none.
fn check_effect(at: &At, kind: EffectKind) -> Result<(), Problem> {
    let per_event = match kind {
        EffectKind::Set => return Ok(()),
        EffectKind::Once => "happens once per subject, at its first change",
        EffectKind::Append => "appends an entry per event",
        EffectKind::External { .. } => "calls somebody else's system per event",
    };
    Err(at.problem(
        format!("it {per_event}, and who polls for states never sees those between two polls"),
        "write effect = \"set\", or follow the events: strategy = { kind = \"fixed\", interval = \"5s\" }",
    ))
}

fn check_looks(at: &At, flaw_at: &At, plan: &ConsumerPlan, subjects: u32) -> Result<(), Problem> {
    if let Some(Flaw::CursorBeforeEffect | Flaw::OnePage | Flaw::TimestampCursor | Flaw::NoOverlap) = plan.flaw {
        return Err(flaw_at.problem(
            "who asks after one subject has neither pages nor a cursor to get wrong",
            "write ask = \"updated-since\" in its strategy, or remove the flaw",
        ));
    }
    if subjects > SUBJECTS_MAX {
        return Err(at.key("ask").problem(
            format!("asks after {subjects} subjects one by one; at most {SUBJECTS_MAX} are indexed"),
            "write ask = \"updated-since\", or fewer workload.subjects",
        ));
    }
    if plan.follows == Follows::Own && plan.clients > subjects {
        return Err(at.key("ask").problem(
            format!("{} clients share {subjects} subjects, so some have none to ask after", plan.clients),
            format!("write clients = {subjects} at most, or more workload.subjects"),
        ));
    }
    Ok(())
}

fn settle_overlap(
    at: &At,
    flaw_at: &At,
    state: &State,
    provider: &ProviderPlan,
    flaw: Option<Flaw>,
) -> Result<Span, Problem> {
    if flaw == Some(Flaw::TimestampCursor) {
        return Err(flaw_at.problem(
            "a scan by time is no cursor over events",
            "write flaw = \"no-overlap\" for what goes wrong with it, or remove it",
        ));
    }
    let (grain, lag) = (provider.timestamp_grain, provider.pull.view_lag);
    let needed = State::needed_overlap(grain, lag);
    // Rounded, it would be refused again.
    let exact = span_to_text(needed);
    match (state.overlap, flaw) {
        (None, Some(Flaw::NoOverlap)) => Ok(Span::ZERO),
        (None, _) => Ok(needed),
        (Some(overlap), Some(Flaw::NoOverlap)) if overlap >= needed => Err(flaw_at.problem(
            format!("an overlap of {overlap} is all that this provider asks for ({exact}), and no flaw"),
            "remove the flaw, or write a shorter overlap",
        )),
        (Some(overlap), Some(Flaw::NoOverlap)) => Ok(overlap),
        (Some(overlap), _) if overlap < needed => Err(at.key("overlap").problem(
            format!("{overlap} is shorter than timestamp_grain + view_lag ({grain} + {lag}): changes would be passed"),
            format!(
                "write \"{exact}\" or more, leave it out for that, or add flaw = \"no-overlap\" to measure what it loses"
            ),
        )),
        (Some(overlap), _) => Ok(overlap),
    }
}

fn strategy_of(plan: &mut ConsumerPlan) -> Option<&mut Strategy> {
    match &mut plan.path {
        Path::Polling(polling) => Some(&mut polling.strategy),
        Path::Hybrid(hybrid) => Some(&mut hybrid.polling.strategy),
        Path::Webhook(_) => None,
    }
}
