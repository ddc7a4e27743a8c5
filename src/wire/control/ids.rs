//! The ids of endpoints and deliveries: what they are the ids of can be read back from them.

use std::{fmt, str::FromStr};

use super::Refusal;
use crate::{
    model::{ClientNo, Seq},
    scenario::ConsumerNo,
};

/// `ep_<consumer>_<client>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId {
    /// Whose endpoint.
    pub consumer: ConsumerNo,
    /// The client.
    pub client: ClientNo,
}

/// `dlv_<consumer>_<client>_<sequence>`: one event, one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// Where to.
    pub endpoint: EndpointId,
    /// The event.
    pub seq: Seq,
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ep_{}_{}", self.consumer, self.client)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dlv_{}_{}_{}", self.endpoint.consumer, self.endpoint.client, self.seq)
    }
}

impl FromStr for EndpointId {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<EndpointId, Refusal> {
        let read = || match numbers(text.strip_prefix("ep_")?)[..] {
            [consumer, client] => Some(EndpointId { consumer: u16::try_from(consumer).ok()?, client }),
            _ => None,
        };
        read().filter(|id| id.to_string() == text).ok_or_else(|| unknown("endpoint", text, "GET /endpoints"))
    }
}

impl FromStr for DeliveryId {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<DeliveryId, Refusal> {
        let read = || match numbers(text.strip_prefix("dlv_")?)[..] {
            [consumer, client, seq] => {
                let endpoint = EndpointId { consumer: u16::try_from(consumer).ok()?, client };
                Some(DeliveryId { endpoint, seq })
            }
            _ => None,
        };
        read().filter(|id| id.to_string() == text).ok_or_else(|| unknown("delivery", text, "GET /deliveries"))
    }
}

/// The numbers between underscores; none where something else is there.
fn numbers(text: &str) -> Vec<u32> {
    text.splitn(4, '_').map(str::parse).collect::<Result<_, _>>().unwrap_or_default()
}

impl EndpointId {
    /// There is no such endpoint.
    #[must_use]
    pub fn unknown(self) -> Refusal {
        unknown("endpoint", &self.to_string(), "GET /endpoints")
    }
}

impl DeliveryId {
    /// There is no such delivery, or not any more.
    #[must_use]
    pub fn unknown(self) -> Refusal {
        unknown("delivery", &self.to_string(), "GET /deliveries")
    }
}

fn unknown(what: &str, id: &str, list: &str) -> Refusal {
    let id: String = id.chars().take(80).collect();
    Refusal::new(404, format!("there is no {what} \"{id}\""), format!("{list} lists those that there are"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_read_back(consumer: u16, client: u32, seq: u32) {
            let endpoint = EndpointId { consumer, client };
            prop_assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
            let delivery = DeliveryId { endpoint, seq };
            prop_assert_eq!(delivery.to_string().parse(), Ok(delivery));
        }

        #[test]
        fn no_text_makes_reading_an_id_panic(text in "\\PC{0,30}") {
            let _ = (text.parse::<EndpointId>(), text.parse::<DeliveryId>());
        }
    }

    #[test]
    fn what_is_no_id_is_not_found() {
        for text in ["", "ep_", "ep_1", "ep_01_2", "ep_+1_2", "ep_1_2_3", "ep_70000_1", "dlv_1_2"] {
            assert_eq!(text.parse::<EndpointId>().unwrap_err().status, 404, "{text}");
        }
        for text in ["dlv_1_2", "dlv_1_2_3_4", "ep_1_2", "dlv_1_2_4294967296"] {
            assert_eq!(text.parse::<DeliveryId>().unwrap_err().status, 404, "{text}");
        }
    }
}
