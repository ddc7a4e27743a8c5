//! One request of a poll, and what comes back.

use std::net::{IpAddr, Ipv4Addr};

use http::StatusCode;

use crate::{
    live::clock::Clock,
    model::{PollOutcome, Span},
    policy::poll::Due,
    scenario::{Connection, ConsumerNo, Plan, PollingPlan, RateHint, RateLimit, RateScope},
    wire::{self, headers},
};

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Asks in the name of one client.
pub(super) struct Asker {
    pub base_url: String,
    pub http: reqwest::Client,
    pub consumer: String,
    pub client: u32,
    pub connection: Connection,
    pub clock: Clock,
    pub time_scale: f64,
    /// How its provider turns away whom it has had enough of.
    pub limit: Option<RateLimit>,
}

/// What a request came to, and how often the provider wants to be asked.
pub(super) struct Answer {
    pub content: Content,
    pub pace: Pace,
}

/// What a request came to.
pub(super) enum Content {
    /// 200.
    Body {
        bytes: Vec<u8>,
        /// The newest sequence that the provider has.
        head: Option<String>,
        etag: Option<String>,
    },
    /// 304.
    NotModified,
    /// Anything else.
    Failed(PollOutcome),
}

/// How often the provider wants to be asked, in driver time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// Not before this from now on.
    pub retry_after: Option<Span>,
    /// Not more often than this.
    pub interval: Option<Span>,
}

/// A client's HTTP, for all clients of a consumer. `source` is the address that they ask from; `None`
/// leaves it to the system.
pub(super) fn http_client(polling: &PollingPlan, source: Option<IpAddr>) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .timeout(polling.patience().into())
        .local_address(source)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    match polling.connection {
        Connection::KeepAlive => builder.build(),
        Connection::PerRequest => builder.pool_max_idle_per_host(0).build(),
    }
}

/// Where a consumer asks from. Where its provider counts by address it has one of its own, as one host
/// has in the real world: on Linux all of 127.0.0.0/8 is this machine, elsewhere 127.0.0.1 only.
pub(super) fn source_of(plan: &Plan, number: ConsumerNo) -> Option<IpAddr> {
    let provider = &plan.providers[usize::from(plan.consumers[usize::from(number)].provider)];
    let counted = provider.pull.rate_limit.is_some_and(|limit| limit.scope == RateScope::Address);
    let [high, low] = number.to_be_bytes();
    (counted && cfg!(target_os = "linux")).then(|| Ipv4Addr::new(127, 1, high, low).into())
}

impl Asker {
    /// Asks for `path` as request `page` of a poll.
    pub async fn get(&self, due: Due, page: u32, path: &str, etag: Option<&str>) -> Answer {
        let mut request = self
            .http
            .get(format!("{}{path}", self.base_url))
            .header(headers::CONSUMER, &self.consumer)
            .header(headers::CLIENT, self.client)
            .header(headers::POLL, due.number)
            .header(headers::DUE, due.at.0)
            .header(headers::PAGE, page);
        if self.connection == Connection::PerRequest {
            request = request.header(http::header::CONNECTION, "close");
        }
        if let Some(etag) = etag {
            request = request.header(http::header::IF_NONE_MATCH, etag);
        }
        match request.send().await {
            Ok(response) => {
                let pace = self.pace(&response);
                Answer { content: read(response).await, pace }
            }
            Err(error) => Answer { content: Content::Failed(failure(&error)), pace: Pace::default() },
        }
    }

    /// The provider speaks of scenario time; the run's time passes `time_scale` times faster.
    fn pace(&self, response: &reqwest::Response) -> Pace {
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let scaled = |span: Span| Span((span.0 as f64 / self.time_scale) as u64);
        let status = response.status();
        let limited = self.limit.filter(|limit| limit.status == status.as_u16());
        let turned_away = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let retry_after = text("retry-after").filter(|_| turned_away || limited.is_some());
        let retry_after = retry_after.and_then(|text| wire::parse_retry_after(text, self.clock.unix_secs()));
        // What stands in this header is a matter between a provider and its clients.
        let reset =
            limited.and_then(|limit| Some((limit.hint, text(headers::RATE_RESET)?.trim().parse::<u64>().ok()?)));
        let reset = match reset {
            Some((RateHint::ResetAt, at)) => Some(Span::from_secs(at.saturating_sub(self.clock.unix_secs()))),
            Some((RateHint::ResetIn, seconds)) => Some(Span::from_secs(seconds)),
            _ => None,
        };
        let retry_after = retry_after.or(reset);
        let interval = text(headers::POLL_INTERVAL).and_then(wire::parse_poll_interval);
        Pace { retry_after: retry_after.map(scaled), interval: interval.map(scaled) }
    }
}

async fn read(mut response: reqwest::Response) -> Content {
    let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (head, etag) = (text(headers::HEAD), text("etag"));
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED => return Content::NotModified,
        status => return Content::Failed(PollOutcome::Status(status.as_u16())),
    }
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= ANSWER_BYTES_MAX => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Content::Failed(PollOutcome::Broken),
            Ok(None) => return Content::Body { bytes, head, etag },
            Err(error) => return Content::Failed(failure(&error)),
        }
    }
}

fn failure(error: &reqwest::Error) -> PollOutcome {
    if error.is_timeout() {
        PollOutcome::Timeout
    } else if error.is_connect() {
        PollOutcome::Refused
    } else {
        PollOutcome::Broken
    }
}
