use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc::UnboundedReceiver, oneshot},
};

use super::*;
use crate::{
    fault::{FaultPlan, Selector},
    live::provider::{
        pull_server,
        pull_testing::{get, polling_plan, text},
        testing,
    },
    model::{Event, Span, Time},
    record::Record,
    scenario::{Follows, Plan, PullPlan, RateHint, RateLimit, RateScope},
    wire::Page,
};

/// The API over a log of 25 events, one every 4 ms, over 10 subjects.
fn api(plan: Plan) -> (Arc<Context>, PullApi, UnboundedReceiver<Record>) {
    let (sink, records) = testing::records();
    let clients = plan.consumers[0].clients;
    let context = testing::context_at(plan, sink, Span::from_secs(1));
    let log = Arc::new(EventLog::new([clients]));
    for seq in 1..=25 {
        let occurred_at = Time::ZERO + Span::from_millis(4 * u64::from(seq));
        log.append(&[Event { occurred_at, ..testing::event(seq) }]);
    }
    (Arc::clone(&context), PullApi::new(context, log), records)
}

async fn page(api: &PullApi, path: &str, client: Option<u32>) -> Page {
    let response = get(api, path, client, None).await;
    assert_eq!(response.status(), 200);
    wire::parse_page(&text(response).await).unwrap()
}

fn seqs(page: &Page) -> Vec<u32> {
    page.events.iter().map(|event| event.id.parse::<crate::model::EventId>().unwrap().seq).collect()
}

#[tokio::test]
async fn pages_are_drained_in_order_without_a_gap() {
    let (_, api, _) = api(polling_plan(1));
    let (mut path, mut found) = ("/events?limit=4".to_owned(), Vec::new());
    loop {
        let page = page(&api, &path, None).await;
        found.extend(seqs(&page));
        path = format!("/events?limit=4&cursor={}", page.next_cursor);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(found, (1..=25).collect::<Vec<_>>());
    assert_eq!(path, "/events?limit=4&cursor=25");
    // The provider's limit holds whatever a client asks.
    assert_eq!(page(&api, "/events?limit=9999", None).await.events.len(), 10);
}

#[tokio::test]
async fn a_share_is_the_clients_own_and_its_cursor_moves_with_the_log() {
    let (_, api, _) = api(polling_plan(3));
    let mut found = Vec::new();
    for client in 0..3 {
        let page = page(&api, "/events", Some(client)).await;
        assert!(seqs(&page).iter().all(|seq| (seq % 10) % 3 == client));
        assert_eq!((page.next_cursor.as_str(), page.has_more), ("25", false));
        found.extend(seqs(&page));
    }
    found.sort_unstable();
    assert_eq!(found, (1..=25).collect::<Vec<_>>());

    let mut plan = polling_plan(3);
    plan.consumers[0].follows = Follows::All;
    let (_, api, _) = self::api(plan);
    assert_eq!(seqs(&page(&api, "/events", Some(2)).await), (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn not_modified_only_when_the_share_is_the_same_and_nothing_lies_behind_the_cursor() {
    let (_, api, _) = api(polling_plan(10));
    // Client 5 has subject 5: events 5, 15 and 25; client 6 has 6 and 16.
    let first = get(&api, "/events", Some(6), None).await;
    assert_eq!(first.headers()["pushpull-head"], "25");
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(etag, "\"16\"");
    let same = get(&api, "/events?cursor=25", Some(6), Some(&etag)).await;
    assert_eq!(same.status(), 304);
    assert_eq!(same.headers()["etag"], etag.as_str());
    assert!(text(same).await.is_empty());
    // A cursor that was lost must not be hidden behind an ETag that was kept.
    assert_eq!(get(&api, "/events?cursor=6", Some(6), Some(&etag)).await.status(), 200);
    api.log.append(&[Event { subject: 6, ..testing::event(26) }]);
    let news = get(&api, "/events?cursor=25", Some(6), Some(&etag)).await;
    assert_eq!(seqs(&wire::parse_page(&text(news).await).unwrap()), [26]);
}

#[tokio::test]
async fn a_timestamp_cursor_asks_for_what_is_strictly_later() {
    let (_, api, _) = api(polling_plan(1));
    // The grain is 10 ms: events 1 and 2 are created at 0, events 3 and 4 at 10 ms, 5 to 7 at 20 ms.
    let first = page(&api, "/events?since=&limit=3", None).await;
    assert_eq!((seqs(&first), first.next_cursor.as_str()), (vec![1, 2, 3], "t10000000"));
    let second = page(&api, "/events?since=t0&limit=3", None).await;
    assert_eq!((seqs(&second), second.next_cursor.as_str()), (vec![3, 4, 5], "t20000000"));
    assert_eq!(seqs(&page(&api, "/events?since=t20000000&limit=1", None).await), [8]);
    let (_, empty, _) = self::api(polling_plan(50));
    // Nothing seen yet stays nothing: t0 would pass the first grain.
    let nothing = page(&empty, "/events?since=", Some(40)).await;
    assert_eq!((nothing.events.len(), nothing.next_cursor.as_str()), (0, ""));
    let end = page(&api, "/events?since=t999000000", None).await;
    assert_eq!((end.events.len(), end.next_cursor.as_str()), (0, "t999000000"));
}

#[tokio::test]
async fn a_request_is_held_until_its_own_share_has_something_or_its_time_is_up() {
    let (_, api, _) = api(polling_plan(10));
    let api = Arc::new(api);
    let held = {
        let api = Arc::clone(&api);
        tokio::spawn(async move { page(&api, "/events?cursor=25&wait=3600000", Some(6)).await })
    };
    // Something lies behind this cursor already.
    assert_eq!(seqs(&page(&api, "/events?cursor=6&wait=3600000", Some(6)).await), [16]);
    // Nothing comes: the hold is over.
    assert!(page(&api, "/events?cursor=25&wait=1", Some(5)).await.events.is_empty());
    // Another client's event, then its own; only its own answers it.
    api.log.append(&[Event { subject: 5, ..testing::event(26) }]);
    api.log.append(&[Event { subject: 6, ..testing::event(27) }]);
    let found = held.await.unwrap();
    assert_eq!((seqs(&found), found.next_cursor.as_str()), (vec![27], "27"));
}

#[tokio::test]
async fn a_view_that_lags_shows_events_late_and_a_held_request_waits_for_them() {
    let mut plan = polling_plan(1);
    // The clock says 1 s; events occurred at 4 ms, 8 ms, ... 100 ms.
    (plan.providers[0].pull.view_lag, plan.providers[0].page_limit) = (Span::from_millis(950), 100);
    let (context, api, _) = api(plan);
    let early = page(&api, "/events?limit=99", None).await;
    assert!(early.events.len() < 25, "a second has not passed since the last");
    let path = format!("/events?cursor={}&wait=3600000", early.next_cursor);
    let next = page(&api, &path, None).await;
    let first = seqs(&next)[0];
    assert_eq!(first, seqs(&early).len() as u32 + 1);
    let visible_at = Time::ZERO + Span::from_millis(4 * u64::from(first)) + Span::from_millis(950);
    assert!(context.clock.now() >= visible_at);
}

#[tokio::test]
async fn refusals_name_the_fix() {
    let (_, api, _) = api(polling_plan(2));
    for (path, client) in [("/events?cursor=abc", None), ("/events?limit=0", Some(0)), ("/events", Some(2))] {
        let response = get(&api, path, client, None).await;
        assert_eq!(response.status(), 400, "{path}");
        let body: serde_json::Value = serde_json::from_slice(&text(response).await).unwrap();
        assert!(body["fix"].as_str().is_some_and(|fix| !fix.is_empty()));
    }
    assert_eq!(get(&api, "/", None, None).await.status(), 200);
    assert_eq!(get(&api, "/nothing", None, None).await.status(), 404);
    let post = Request::post("/events").body(()).unwrap();
    assert_eq!(api.answer(post, &Meter::default()).await.unwrap().status(), 405);
}

/// Sends one poll over a socket to an API under `fault`; what comes back until the connection ends.
async fn poll_under(fault: serde_json::Value) -> (String, Arc<Context>, Vec<Record>) {
    let faults: Vec<FaultPlan> = vec![testing::fault(0, fault, Selector { first: Some(1), ..Selector::default() })];
    let (context, api, mut records) = api(Plan { faults, ..polling_plan(1) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(pull_server::serve(Arc::clone(&context), Arc::new(api), listener, stopped));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /events?limit=2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\npushpull-consumer: poll\r\n\
                   pushpull-client: 0\r\npushpull-poll: 1\r\npushpull-page: 1\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    stop.send(()).unwrap();
    server.await.unwrap();
    assert_eq!(context.traffic(0).totals(), (request.len() as u64, answer.len() as u64, 1));
    let hits = std::iter::from_fn(|| records.try_recv().ok()).collect();
    (String::from_utf8(answer).unwrap(), context, hits)
}

#[tokio::test]
async fn a_poll_suffers_every_fate() {
    for (fault, begins, ends) in [
        (json!({"kind": "drop-request"}), "", ""),
        (json!({"kind": "drop-request", "seen_as": "timeout"}), "", ""),
        (json!({"kind": "outage"}), "", ""),
        (json!({"kind": "outage", "how": "hang"}), "", ""),
        (json!({"kind": "drop-ack"}), "", ""),
        (json!({"kind": "drop-ack", "seen_as": "timeout"}), "", ""),
        (json!({"kind": "drop-ack", "when": "before"}), "", ""),
        (json!({"kind": "respond", "status": 429, "retry_after_s": 7}), "HTTP/1.1 429", "\r\n\r\n"),
        (json!({"kind": "delay", "delay": "1ms", "spread": "1ms"}), "HTTP/1.1 200", "\"has_more\":true}"),
        (json!({"kind": "delay", "delay": "1ms", "leg": "response"}), "HTTP/1.1 200", "\"has_more\":true}"),
    ] {
        let (answer, _, records) = poll_under(fault.clone()).await;
        assert!(answer.starts_with(begins) && answer.ends_with(ends), "{fault}: {answer}");
        assert_eq!(answer.is_empty(), begins.is_empty(), "{fault}: {answer}");
        let hit = |r: &Record| matches!(r, Record::FaultHit { fault: 0, number: 1, attempt: 1, .. });
        assert!(records.len() == 1 && hit(&records[0]), "{records:?}");
    }
}

#[tokio::test]
async fn a_window_is_held_against_the_instant_at_which_the_poll_was_due() {
    let window = Selector { from: Some(Time(10)), until: Some(Time(20)), ..Selector::default() };
    let faults = vec![testing::fault(0, json!({"kind": "outage"}), window)];
    let (_, api, _) = api(Plan { faults, ..polling_plan(1) });
    // The clock says a second, whenever the poll was due; who does not tell is taken at the clock's word.
    for (due, hit) in [(Some(9), false), (Some(10), true), (Some(19), true), (Some(20), false), (None, false)] {
        let mut request = Request::get("/events").header("pushpull-consumer", "poll").header("pushpull-poll", 1);
        if let Some(due) = due {
            request = request.header("pushpull-due", due);
        }
        let answer = api.answer(request.body(()).unwrap(), &Meter::default()).await;
        assert_eq!(answer.is_err(), hit, "{due:?}");
    }
}

#[tokio::test]
async fn a_reset_poll_gets_half_of_its_page() {
    let (answer, ..) = poll_under(json!({"kind": "reset"})).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let told = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(told.parse::<usize>().unwrap() / 2, body.len());
    assert!(body.starts_with("{\"data\":[{"));
}

fn header(response: &Response<PullBody>, name: &str) -> Option<u64> {
    response.headers().get(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_rate_limit_answers_429_in_scenario_seconds_and_each_client_has_its_own() {
    let mut plan = polling_plan(2);
    plan.time_scale = 60.0;
    // One an hour, of which a minute is left of after scaling.
    let limit = RateLimit::new(1, Span::from_secs(60), 2, RateScope::Client);
    plan.providers[0].pull =
        PullPlan { rate_limit: Some(limit), poll_interval_hint: Some(Span::from_secs(1)), ..PullPlan::default() };
    let (_, api, mut records) = api(plan);
    let told = |response: &Response<PullBody>| {
        assert_eq!((header(response, "x-ratelimit-limit"), header(response, "x-poll-interval")), (Some(2), Some(60)));
        (response.status().as_u16(), header(response, "x-ratelimit-remaining"), header(response, "retry-after"))
    };
    let first = get(&api, "/events", Some(0), None).await;
    assert_eq!((told(&first), header(&first, "x-ratelimit-reset")), ((200, Some(1), None), Some(3_600)));
    assert_eq!(told(&get(&api, "/events", Some(0), None).await), (200, Some(0), None));
    assert_eq!(told(&get(&api, "/events", Some(0), None).await), (429, Some(0), Some(3_600)));
    assert_eq!(told(&get(&api, "/events", Some(1), None).await), (200, Some(1), None));
    // A stranger has a bucket too, and no record; a request that is refused for its form costs nothing.
    assert_eq!(told(&get(&api, "/events", None, None).await), (200, Some(1), None));
    assert_eq!(get(&api, "/events?limit=x", None, None).await.status(), 400);
    assert_eq!(told(&get(&api, "/events", None, None).await), (200, Some(0), None));
    assert_eq!(get(&api, "/events", None, None).await.status(), 429);
    assert!(matches!(records.try_recv(), Ok(Record::RateLimited { consumer: 0, client: 0, .. })));
    assert!(records.try_recv().is_err());
}

#[tokio::test]
async fn a_limit_answers_with_its_own_status_and_hint_and_a_304_may_be_free() {
    let limited = |hint, free_304| {
        let limit = RateLimit::new(1, Span::from_secs(3_600), 1, RateScope::All);
        let mut plan = polling_plan(1);
        plan.providers[0].pull.rate_limit = Some(RateLimit { status: 403, hint, free_304, ..limit });
        api(plan)
    };
    let names = ["retry-after", "x-ratelimit-reset", "x-ratelimit-limit"];
    let refused = async |hint| {
        let (_, api, _records) = limited(hint, false);
        get(&api, "/events", Some(0), None).await;
        let answer = get(&api, "/events", Some(0), None).await;
        assert_eq!(answer.status(), 403);
        names.map(|name| header(&answer, name))
    };
    assert_eq!(refused(RateHint::RetryAfter).await, [Some(3_600), Some(3_600), Some(1)]);
    assert_eq!(refused(RateHint::ResetIn).await, [None, Some(3_600), Some(1)]);
    assert_eq!(refused(RateHint::None).await, [None; 3]);
    let [retry_after, reset_at, _] = refused(RateHint::ResetAt).await;
    assert!(retry_after.is_none() && reset_at.is_some_and(|at| at > 1_700_000_000), "{reset_at:?}");

    let (_, api, _records) = limited(RateHint::ResetAt, true);
    let etag = Some("\"25\"");
    for _ in 0..3 {
        let unchanged = get(&api, "/events?cursor=25", Some(0), etag).await;
        assert_eq!((unchanged.status().as_u16(), header(&unchanged, "x-ratelimit-remaining")), (304, Some(1)));
    }
    assert_eq!(get(&api, "/events", Some(0), None).await.status(), 200);
    assert_eq!(get(&api, "/events?cursor=25", Some(0), etag).await.status(), 403, "what is used up is used up");
}

#[tokio::test]
async fn a_global_limit_counts_everybody_and_no_limit_says_nothing() {
    let mut plan = polling_plan(2);
    let limit = RateLimit::new(1, Span::from_secs(3_600), 1, RateScope::All);
    plan.providers[0].pull.rate_limit = Some(limit);
    let (_, limited, _) = api(plan);
    assert_eq!(get(&limited, "/events", Some(0), None).await.status(), 200);
    assert_eq!(get(&limited, "/events", Some(1), None).await.status(), 429);
    let (_, free, _) = api(polling_plan(1));
    let response = get(&free, "/events", Some(0), None).await;
    for name in ["x-ratelimit-limit", "x-poll-interval", "retry-after", "pushpull-oldest"] {
        assert_eq!(header(&response, name), None, "{name}");
    }
}

#[tokio::test]
async fn a_cursor_older_than_the_retention_goes_on_at_the_oldest_event_and_is_told() {
    let retaining = |retention| {
        let mut plan = polling_plan(5);
        plan.providers[0].pull.retention = Some(retention);
        api(plan).1
    };
    // A second has passed since the events came.
    let gone = retaining(Span::from_millis(1));
    let response = get(&gone, "/events?cursor=5", Some(1), None).await;
    assert_eq!((header(&response, "pushpull-oldest"), header(&response, "pushpull-expired")), (Some(26), Some(4)));
    let page = wire::parse_page(&text(response).await).unwrap();
    assert_eq!((page.events.len(), page.next_cursor.as_str(), page.has_more), (0, "25", false));
    let kept = retaining(Span::from_secs(3_600));
    let response = get(&kept, "/events?cursor=5", Some(1), None).await;
    assert_eq!((header(&response, "pushpull-oldest"), header(&response, "pushpull-expired")), (Some(1), Some(0)));
    assert_eq!(wire::parse_page(&text(response).await).unwrap().events.len(), 4);
}
