use std::sync::Arc;

use http::Request;

use super::*;
use crate::{
    live::{
        counting_io::Meter,
        provider::{
            context::Context,
            log::EventLog,
            pull_testing::{get, polling_plan, text},
            testing,
        },
    },
    scenario::{Follows, Plan},
    wire::{StatePage, parse_state, parse_states},
};

/// The API over a log of 25 events, one every 4 ms, over 10 subjects, told to 10 ms; the clock says 1 s.
fn api(plan: Plan) -> (Arc<Context>, PullApi) {
    let (sink, _) = testing::records();
    let clients = plan.consumers[0].clients;
    let context = testing::context_at(plan, sink, Span::from_secs(1));
    let log = Arc::new(EventLog::new([clients, 10]));
    for seq in 1..=25 {
        let occurred_at = Time::ZERO + Span::from_millis(4 * u64::from(seq));
        log.append(&[Event { occurred_at, version: 1 + (seq - 1) / 10, ..testing::event(seq) }]);
    }
    log.expect(Time::MAX);
    (Arc::clone(&context), PullApi::new(context, log))
}

async fn page(api: &PullApi, path: &str, client: Option<u32>) -> StatePage {
    let response = get(api, path, client, None).await;
    assert_eq!(response.status(), 200, "{path}");
    parse_states(&text(response).await).unwrap()
}

fn subjects(page: &StatePage) -> Vec<(u32, u32)> {
    page.states.iter().map(|state| (state.subject, state.version)).collect()
}

#[tokio::test]
async fn a_subject_stands_at_its_newest_version_and_304_while_it_does() {
    let (_, api) = api(polling_plan(2));
    let response = get(&api, "/subjects/4", Some(0), None).await;
    assert_eq!((response.status().as_u16(), &response.headers()["etag"]), (200, &HeaderValue::from_static("\"3\"")));
    let body = text(response).await;
    // Events 4, 14 and 24; the last one at 96 ms.
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&told["version"], &told["updated_at"], &told["latest"]["sequence"]),
        (&3.into(), &"t90000000".into(), &24.into())
    );
    assert_eq!(parse_state(&body).unwrap().unwrap().id.parse::<crate::model::EventId>().unwrap().seq, 24);
    let same = get(&api, "/subjects/4", Some(0), Some("\"3\"")).await;
    assert_eq!((same.status().as_u16(), text(same).await.len()), (304, 0));
    api.log.append(&[Event { subject: 4, version: 4, ..testing::event(26) }]);
    assert_eq!(get(&api, "/subjects/4", Some(0), Some("\"3\"")).await.status(), 200);
    // Nobody's question but the owner's, or a curious person's.
    assert_eq!(get(&api, "/subjects/4", Some(1), None).await.status(), 404);
    assert_eq!(get(&api, "/subjects/5", None, None).await.status(), 200);
}

#[tokio::test]
async fn a_subject_that_nothing_happened_to_is_there_at_version_0() {
    let mut plan = polling_plan(1);
    plan.workload.subjects = 12;
    let (_, api) = api(plan);
    let response = get(&api, "/subjects/11", Some(0), None).await;
    assert_eq!(response.headers()["etag"], "\"0\"");
    assert_eq!(parse_state(&text(response).await).unwrap(), None);
    assert_eq!(get(&api, "/subjects/11", Some(0), Some("\"0\"")).await.status(), 304);
}

#[tokio::test]
async fn changes_come_by_time_then_subject_in_pages_that_leave_none_out() {
    let (_, api) = api(polling_plan(1));
    let (mut path, mut found) = ("/subjects?updated_since=t0&limit=3".to_owned(), Vec::new());
    loop {
        let page = page(&api, &path, None).await;
        found.extend(subjects(&page));
        path = format!("/subjects?limit=3&cursor={}", page.next_cursor);
        if !page.has_more {
            break;
        }
    }
    // Events 16 to 25, told as of 60, 60, 70, 70, 80, 80, 80, 90, 90 and 100 ms.
    assert_eq!(found, [(6, 2), (7, 2), (8, 2), (9, 2), (0, 2), (1, 3), (2, 3), (3, 3), (4, 3), (5, 3)]);
    let recent = page(&api, "/subjects?updated_since=t90000000", None).await;
    assert_eq!(subjects(&recent), [(3, 3), (4, 3), (5, 3)], "that instant included");
    let none = page(&api, "/subjects?updated_since=t100000001", None).await;
    assert_eq!((none.states.len(), none.next_cursor.as_str(), none.has_more), (0, "", false));
    // The provider's limit holds whatever a client asks.
    let mut plan = polling_plan(1);
    plan.providers[0].page_limit = 4;
    assert_eq!(page(&self::api(plan).1, "/subjects?limit=9999", None).await.states.len(), 4);
}

#[tokio::test]
async fn a_scan_is_the_clients_own_and_304_while_nothing_in_its_share_has_changed() {
    let (_, api) = api(polling_plan(5));
    assert_eq!(subjects(&page(&api, "/subjects", Some(1)).await), [(6, 2), (1, 3)]);
    let etag =
        get(&api, "/subjects?updated_since=t0", Some(1), None).await.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(etag, "\"21\"");
    assert_eq!(get(&api, "/subjects?updated_since=t5", Some(1), Some(&etag)).await.status(), 304);
    api.log.append(&[Event { subject: 2, version: 4, ..testing::event(26) }]);
    assert_eq!(get(&api, "/subjects", Some(1), Some(&etag)).await.status(), 304, "another's");
    api.log.append(&[Event { subject: 1, version: 4, ..testing::event(27) }]);
    assert_eq!(get(&api, "/subjects", Some(1), Some(&etag)).await.status(), 200);
    let mut plan = polling_plan(5);
    plan.consumers[0].follows = Follows::All;
    assert_eq!(page(&self::api(plan).1, "/subjects", Some(1)).await.states.len(), 10);
}

#[tokio::test]
async fn a_lagging_view_shows_earlier_states_and_an_answer_is_true_as_of_what_the_log_holds() {
    let mut plan = polling_plan(1);
    // The clock says 1 s; the log is known to be whole up to 60 ms only.
    plan.providers[0].pull.view_lag = Span::from_millis(20);
    let (_, api) = api(plan);
    api.log.expect(Time::ZERO + Span::from_millis(60));
    let behind = page(&api, "/subjects", None).await;
    assert_eq!(behind.as_of, Time::ZERO + Span::from_millis(60));
    // As of 40 ms: events 1 to 10.
    assert!(subjects(&behind).iter().all(|(_, version)| *version == 1), "{behind:?}");
    let state = parse_state(&text(get(&api, "/subjects/1", None, None).await).await).unwrap().unwrap();
    assert_eq!(state.version, 1);
}

#[tokio::test]
async fn refusals_name_the_fix() {
    let (_, api) = api(polling_plan(2));
    for (path, status) in [
        ("/subjects/x", 400),
        ("/subjects/-1", 400),
        ("/subjects/", 400),
        ("/subjects/1?limit=1", 400),
        ("/subjects/99", 404),
        ("/subjects?updated_since=yesterday", 400),
        ("/subjects?since=t1", 400),
        ("/subjects?limit=0", 400),
        ("/subjects?cursor=7", 400),
    ] {
        let response = get(&api, path, Some(0), None).await;
        assert_eq!(response.status(), status, "{path}");
        let body: serde_json::Value = serde_json::from_slice(&text(response).await).unwrap();
        assert!(body["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{path}");
    }
    let post = Request::post("/subjects").body(()).unwrap();
    assert_eq!(api.answer(post, &Meter::default()).await.unwrap().status(), 405);
}
