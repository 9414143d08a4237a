//! A command's body in words.

use std::collections::BTreeMap;

use gx_proto::gx::contract::v1::{Command, command::Body};
use prost::Message as _;
use serde::Serialize;

use super::Qirat;

/// A decoded command.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Decoded {
    /// What kind it is.
    pub(super) kind: &'static str,
    /// What it says.
    pub(super) fields: BTreeMap<&'static str, String>,
}

impl From<&[u8]> for Decoded {
    fn from(bytes: &[u8]) -> Self {
        let Ok(command) = Command::decode(bytes) else {
            return Self::of("unreadable", [("bytes", bytes.len().to_string())]);
        };
        let mut decoded = Self::body(command.body);
        let digest = hex::encode(&command.request_digest);
        decoded.fields.insert("request_digest", digest);
        decoded
    }
}

impl Decoded {
    fn of<const N: usize>(kind: &'static str, fields: [(&'static str, String); N]) -> Self {
        let fields = BTreeMap::from(fields);
        Self { kind, fields }
    }

    fn body(body: Option<Body>) -> Self {
        let qirat = |qirat: u64| Qirat(qirat.into()).to_string();
        match body {
            None => Self::of("unknown", []),
            Some(Body::Bootstrap(body)) => {
                let lanes = body.partner_lanes.to_string();
                Self::of("Bootstrap", [("partner_lanes", lanes)])
            }
            Some(Body::LoadCountries(body)) => {
                let countries = body.countries.len().to_string();
                Self::of("LoadCountries", [("countries", countries)])
            }
            Some(Body::CreateAccount(body)) => Self::of(
                "CreateAccount",
                [
                    ("account", body.account),
                    ("country", body.country),
                    ("commitment", hex::encode(&body.commitment)),
                    ("grant_eligible", body.grant_eligible.to_string()),
                ],
            ),
            Some(Body::Transfer(body)) => Self::of(
                "Transfer",
                [
                    ("sender", body.sender),
                    ("receiver", body.receiver),
                    ("amount", qirat(body.amount_qirat)),
                    ("max_fee", qirat(body.max_fee_qirat)),
                    ("reference_digest", hex::encode(&body.reference_digest)),
                ],
            ),
            Some(Body::Fold(body)) => {
                let judge = body.judge.to_string();
                Self::of("Fold", [("account", body.account), ("judge", judge)])
            }
            Some(Body::Void(_)) => Self::of("Void", []),
        }
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::contract::v1::Transfer;

    use super::*;

    #[test]
    fn a_transfer_is_told_in_words() {
        let command = Command {
            id: vec![1; 16].into(),
            request_digest: vec![2; 32].into(),
            body: Some(Body::Transfer(Transfer {
                sender: "GX-a".to_owned(),
                amount_qirat: 1_500_000,
                ..Transfer::default()
            })),
        };
        let decoded = Decoded::from(command.encode_to_vec().as_slice());
        assert_eq!(decoded.kind, "Transfer");
        assert_eq!(decoded.fields["sender"], "GX-a");
        assert_eq!(decoded.fields["amount"], "1.500000 GX");
        assert_eq!(decoded.fields["request_digest"], "02".repeat(32));
    }

    #[test]
    fn what_cannot_be_read_is_said_to_be_so() {
        let decoded = Decoded::from([0xff, 1].as_slice());
        assert_eq!(decoded.kind, "unreadable");
        assert_eq!(Decoded::from([].as_slice()).kind, "unknown");
    }
}
