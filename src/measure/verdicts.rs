//! From what the readings found to the result: figures, promises with their evidence, expectations.

use super::{
    conditions,
    consumer::ConsumerResult,
    external::External,
    judge::Judged,
    predict, predict_outcome,
    result::{Disturbance, Example, PromiseResult, PromiseVerdict, RunResult, StoryLine},
    spending,
    uniform::Uniform,
    validity,
    weigh::Weigh,
};
use crate::{
    audit::{
        Class, Source,
        promises::{self, Finding},
        tell,
    },
    record::{Obligation, ReadError, Role},
    scenario::{ConsumerNo, EffectKind, Mode, Plan},
};

pub(super) fn result(plan: &Plan, mut judged: Judged, source: &Source<'_>) -> Result<RunResult, ReadError> {
    let mut consumers: Vec<ConsumerResult> = Vec::new();
    let (mut model, mut assumptions) = (Vec::new(), assumptions(plan));
    for no in 0..plan.consumers.len() {
        consumers.push(consumer(plan, no, &judged));
        let (rows, left_out) = predict::rows(plan, no as ConsumerNo, &judged.tallies[no]);
        model.extend(rows);
        model.extend(predict_outcome::rows(plan, no as ConsumerNo, &consumers[no]));
        assumptions.extend(left_out);
        model.extend(predict::crash_window(
            plan,
            no as ConsumerNo,
            &judged.tallies[no],
            deaths(&judged, no as ConsumerNo),
        ));
        assumptions.extend(predict::crash_window_in_words(plan, no as ConsumerNo, &judged.tallies[no]));
        let (tally, name) = (&judged.tallies[no], &plan.consumers[no].name);
        let bound = validity::poller_bound_s(tally);
        validity::check_lag(&mut judged.problems, name, tally.lag.p99_s(), bound);
    }
    let provider = judged.provider.clone();
    validity::check_lag(&mut judged.problems, "the provider", provider.lag_p99_s, provider.lag_bound_s);
    conditions::goals(&plan.goals, &mut consumers);
    Ok(RunResult {
        mode: plan.mode,
        seed: plan.seed,
        run_id: plan.run_id,
        time_scale: plan.time_scale,
        valid: judged.problems.is_empty(),
        why_void: judged.problems.sentences(),
        interrupted: judged.interrupted,
        duration_s: judged.end.as_secs_f64(),
        provider,
        harness_cpu_s: judged.usage.cpu_s(Role::Orchestrator, &judged.lives),
        records_sha256: None,
        judge_cpu_s: None,
        expectations: conditions::expectations(&plan.expects, &consumers),
        warnings: warnings(plan, judged.interrupted, &consumers),
        consumers,
        promises: promises_kept(plan, &judged, source)?,
        model,
        disturbances: disturbances(plan, &judged),
        assumptions,
        not_modelled: not_modelled(plan.mode),
    })
}

/// How often a consumer's process was killed.
fn deaths(judged: &Judged, no: ConsumerNo) -> u32 {
    judged.lives.deaths(Role::Receiver(no)) + judged.lives.deaths(Role::Poller(no))
}

/// The plan's warnings, and what the run adds to them.
fn warnings(plan: &Plan, interrupted: bool, consumers: &[ConsumerResult]) -> Vec<String> {
    let mut warnings = plan.warnings.clone();
    for consumer in consumers.iter().filter(|_| !interrupted) {
        if let Some(pending) = consumer.pending.filter(|pending| *pending > 0) {
            warnings.push(format!(
                "{}: {pending} obligations were still pending when the drain's bound ({}) ended the run; a longer \
                 drain would tell what becomes of them",
                consumer.name, plan.drain
            ));
        }
    }
    warnings
}

fn consumer(plan: &Plan, no: usize, judged: &Judged) -> ConsumerResult {
    let (mine, tally) = (&plan.consumers[no], &judged.tallies[no]);
    let ours = !judged.external[no];
    let seen = |value: u64| ours.then_some(value);
    let external = matches!(mine.effect.kind, EffectKind::External { .. }).then_some(&tally.external);
    let class = |class: Class| seen(tally.class(class));
    let breaches = |name: &str| {
        let place = promises::TABLE.iter().position(|promise| promise.name == name);
        place.and_then(|place| judged.findings[no][place].count())
    };
    let role = Role::of(mine, no as ConsumerNo);
    // What a killed poller had not yet written down, the provider has seen.
    let deaths = judged.lives.deaths(role) > 0 && !mine.is_pushed();
    let told = tally.useful + tally.wasted + tally.failed;
    let untold = if deaths { tally.carried.saturating_sub(told) } else { 0 };
    let weigh = tally.weigh.as_ref();
    let bytes = tally.bytes.or(weigh.map(|weigh| (weigh.all.up, weigh.all.down)));
    let client_s = f64::from(mine.clients) * plan.duration.as_secs_f64();
    let polls = mine.polls().then_some((tally.window_polls, client_s));
    ConsumerResult {
        name: mine.name.clone(),
        kind: mine.kind().to_owned(),
        clients: mine.clients,
        requests: told + untold,
        useful_requests: tally.useful,
        wasted_requests: tally.wasted,
        failed_requests: tally.failed + untold,
        peak_requests_per_s: tally.peak_per_s(),
        window_polls: polls.map(|(polls, _)| polls.made),
        window_useful: polls.map(|(polls, _)| polls.useful),
        window_empty: polls.map(|(polls, _)| polls.empty),
        polls_per_client_s: polls.map(|(polls, client_s)| polls.made as f64 / client_s),
        empty_responses: tally.empty,
        not_modified: tally.not_modified,
        attempts: tally.attempts,
        acked: tally.acked,
        gave_up: tally.gave_up,
        redelivered: tally.redelivered,
        rate_limited: tally.rate_limited,
        endpoints_disabled: tally.switches.count(),
        receipts: seen(tally.receipts),
        receipts_by_push: seen(tally.by_push.receipts),
        receipts_by_poll: seen(tally.by_poll.receipts),
        duplicates_by_push: seen(tally.by_push.duplicates),
        duplicates_by_poll: seen(tally.by_poll.duplicates),
        duplicates_received: seen(tally.duplicates_received),
        duplicates_suppressed: seen(tally.duplicates_suppressed),
        duplicates_applied: breaches(promises::EFFECT_ONCE),
        applied_twice: seen(tally.applied_twice),
        due: tally.due,
        applied: class(Class::Applied),
        superseded: class(Class::Superseded),
        dead_lettered: class(Class::DeadLettered),
        lost: class(Class::Lost),
        pending: class(Class::Pending),
        undelivered: class(Class::Undelivered),
        gave_up_but_applied: seen(tally.gave_up_but_applied),
        // Where the effect appends there is nothing to overwrite, and without an attack nothing is
        // forged: known to be none, as far as our own consumer's stores tell.
        stale_overwrites: breaches(promises::NEWEST_WINS).or(seen(0)),
        subject_repeated: breaches(promises::ONCE_PER_SUBJECT).or(seen(0)),
        forged_accepted: breaches(promises::NO_FORGERY).or(seen(0)),
        external_calls: external.map(|external| external.calls),
        external_repeated: external.map(|external| external.repeated),
        external_limited: external.map(|external| external.limited),
        outbox_pending: external.map(|external| external.waiting),
        external_window_s: external.map(External::window),
        external_repeats_per_crash: external.and_then(|external| external.repeats_per_crash(plan.duration)),
        spoiled_accepted: breaches(promises::SPOILED_REFUSED).or(seen(0)),
        rejected: seen(tally.rejected),
        bytes_up: bytes.map(|(up, _)| up),
        bytes_down: bytes.map(|(_, down)| down),
        window_bytes: weigh.map(Weigh::in_window),
        window_mibit_per_s: weigh.map(|weigh| weigh.mibit_per_s(plan.duration)),
        cpu_s: judged.usage.cpu_s(role, &judged.lives),
        peak_rss_bytes: judged.usage.peak_rss_bytes(role),
        lag_p99_s: tally.lag.p99_s(),
        age_s: ours.then(|| tally.ages.summary()),
        age_ks_uniform: tally.uniform.as_ref().and_then(Uniform::distance),
        behind: ours.then(|| tally.behind.behind()),
        load: tally.load.load(),
        recovery: tally.recovery.recovery().filter(|_| ours),
        series: tally.series.clone(),
        cost: spending::cost(plan, mine, tally, judged.end),
        goals: Vec::new(),
    }
}

/// Reads the records once more, for one example of each broken promise.
fn promises_kept(plan: &Plan, judged: &Judged, source: &Source<'_>) -> Result<Vec<PromiseResult>, ReadError> {
    let mut told: Vec<(PromiseResult, Option<Obligation>)> = Vec::new();
    for (consumer, findings) in plan.consumers.iter().zip(&judged.findings) {
        for (promise, finding) in promises::TABLE.iter().zip(findings) {
            told.push(row(&consumer.name, promise.name, promise.words, *finding));
        }
    }
    let books = match judged.unbalanced {
        0 => Finding::Kept,
        count => Finding::Broken(count, judged.example),
    };
    told.push(row("the run", "books-balance", "every obligation ends in exactly one class", books));
    let mut examples: Vec<Obligation> = told.iter().filter_map(|(_, example)| *example).collect();
    examples.sort_unstable();
    examples.dedup();
    if !examples.is_empty() {
        let stories = tell(plan, source, &examples)?;
        for (promise, example) in &mut told {
            let story = example.and_then(|what| stories.iter().find(|story| story.what == what));
            promise.example = story.map(|story| Example {
                client: story.what.client,
                event: story.what.seq,
                story: story
                    .lines
                    .iter()
                    .map(|line| StoryLine { when: story.when(line), what: line.text.clone() })
                    .collect(),
            });
        }
    }
    Ok(told.into_iter().map(|(promise, _)| promise).collect())
}

fn row(consumer: &str, name: &str, words: &str, finding: Finding) -> (PromiseResult, Option<Obligation>) {
    let (verdict, example) = match finding {
        Finding::Kept => (PromiseVerdict::Kept, None),
        Finding::Broken(_, example) => (PromiseVerdict::Broken, example),
        Finding::NotObserved => (PromiseVerdict::NotObserved, None),
    };
    let promise = PromiseResult {
        consumer: consumer.to_owned(),
        name: name.to_owned(),
        promise: words.to_owned(),
        verdict,
        count: finding.count(),
        example: None,
    };
    (promise, example)
}

/// Windows of faults from the plan, and of dead or stopped processes and of endpoints that were
/// switched off from the records.
fn disturbances(plan: &Plan, judged: &Judged) -> Vec<Disturbance> {
    let mut found = Vec::new();
    let end = judged.end;
    for fault in &plan.faults {
        let (from, until) = (fault.selector.from, fault.selector.until);
        // Stopped processes are told by the records, and a fault without a window disturbs all the time.
        if fault.kind.stops_process() || (from.is_none() && until.is_none()) {
            continue;
        }
        let (from_s, until_s) = (from.unwrap_or_default().as_secs_f64(), until.unwrap_or(end).min(end).as_secs_f64());
        let consumers = fault.consumers.clone();
        found.push(Disturbance { from_s, until_s, what: fault.kind.name().to_owned(), consumers });
    }
    for no in 0..plan.consumers.len() as ConsumerNo {
        for role in [Role::Receiver(no), Role::Poller(no)] {
            for (from, until, dead) in judged.lives.down(role) {
                let what = if dead { "crash" } else { "stall" }.to_owned();
                let (from_s, until_s) = (from.as_secs_f64(), until.min(end).as_secs_f64());
                found.push(Disturbance { from_s, until_s, what, consumers: vec![no] });
            }
        }
    }
    for (no, tally) in (0..).zip(&judged.tallies) {
        for (from, until) in tally.switches.off() {
            let (from_s, until_s) = (from.as_secs_f64(), until.min(end).as_secs_f64());
            found.push(Disturbance { from_s, until_s, what: "endpoint off".to_owned(), consumers: vec![no] });
        }
    }
    found
}

fn assumptions(plan: &Plan) -> Vec<String> {
    let mut said = vec![
        "events are open: each is due at its scheduled instant, however its consumers cope".to_owned(),
        "polls are a closed loop around their own answers: a slow server slows its poller".to_owned(),
        "ages count from the scheduled instant to the complete effect, over everything that was due".to_owned(),
        "percentiles come from histograms with three significant digits".to_owned(),
    ];
    if plan.consumers.iter().any(|consumer| consumer.state().is_some()) {
        said.push(
            "who asks for states sees the newest one only: what a later one overtook is superseded, and its age counts \
             until a later state took effect"
                .to_owned(),
        );
    }
    said.extend(spending::assumptions(plan));
    if plan.time_scale != 1.0 {
        let scale = plan.time_scale;
        said.push(format!(
            "scenario time passes {scale} times faster; network, service, ack timeouts and signature tolerance do not"
        ));
    }
    said
}

fn not_modelled(mode: Mode) -> Vec<String> {
    let texts: &[&str] = match mode {
        Mode::Live => &[
            "TLS, DNS and distance: every process shares this machine, its processors and its loopback network",
            "cold starts, load balancers and noisy neighbours",
            "power loss: kill -9 is real, the operating system and its disk cache survive",
        ],
        Mode::Virtual => &[
            "processor time and memory: nothing really runs",
            "TLS, DNS, connection set-up and the limits of the operating system",
            "contention between processes",
        ],
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}
