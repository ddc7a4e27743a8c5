//! Bytes <-> model: signatures, event bodies, pages, Retry-After. No sockets.

mod body;
mod captured;
pub mod control;
mod encode;
mod hand_made;
pub mod headers;
mod id_form;
mod loopback;
mod page;
pub mod payload;
mod retry_after;
pub mod scheme;
mod signature;
mod state;
mod target;
mod webhook;

pub use body::{BodyError, EventBody, forged_event_json, render_event, reserialise};
pub use captured::{CaptureKeys, CaptureProblem, Captured, TIME_KEYS, read_captured, render_captured};
pub use hand_made::{HandMade, is_event_type, render_hand_made};
pub use id_form::IdForm;
pub use loopback::{NotHere, require_loopback};
pub use page::{Page, PageError, PageEvent, parse_page, render_page};
pub use retry_after::{parse_poll_interval, parse_retry_after, scenario_seconds};
pub use signature::{Secret, SecretError, SignatureError, sign, sign_unkeyed, sign_with_each, verify, verify_unkeyed};
pub use state::{StatePage, parse_instant, parse_state, parse_states, render_state, render_states};
pub use target::{Target, TargetError, is_header_value, render_post};
pub use webhook::{WebhookHead, render_webhook};
