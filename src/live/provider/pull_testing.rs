//! How the pull API's tests ask it.

use http::{Request, Response};
use http_body_util::BodyExt;

use super::{pull_api::PullApi, pull_body::PullBody, testing};
use crate::{live::counting_io::Meter, scenario::Plan};

/// A plan with one polling consumer, called "poll".
pub fn polling_plan(clients: u32) -> Plan {
    testing::plan(testing::polling_consumer(clients))
}

/// Asks as client `client` of the consumer, or as a curious person.
pub async fn get(api: &PullApi, path: &str, client: Option<u32>, etag: Option<&str>) -> Response<PullBody> {
    let mut request = Request::get(path);
    if let Some(client) = client {
        request = request.header("pushpull-consumer", "poll").header("pushpull-client", client);
    }
    if let Some(etag) = etag {
        request = request.header("if-none-match", etag);
    }
    api.answer(request.body(()).unwrap(), &Meter::default()).await.unwrap()
}

/// The whole body of an answer.
pub async fn text(response: Response<PullBody>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}
