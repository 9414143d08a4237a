//! The endorsement policy: one peer of every organization of the channel.

use std::collections::BTreeSet;

use super::trust::{Roll, Signed};
use crate::{msp::Kind, proto::protos::ChaincodeEndorsedAction};

/// Whether a peer of every organization has signed. Endorsements that are no good do
/// not count, and do no harm.
pub(super) fn endorsed_by_all(roll: &Roll, endorsed: &ChaincodeEndorsedAction) -> bool {
    let mut missing: BTreeSet<&str> = roll.membership().msp_ids().collect();
    for endorsement in &endorsed.endorsements {
        let message = [
            &endorsed.proposal_response_payload[..],
            &endorsement.endorser,
        ]
        .concat();
        let signed = Signed {
            creator: &endorsement.endorser,
            message: &message,
            signature: &endorsement.signature,
        };
        if let Some(peer) = roll.signer(&signed, |kind| kind == Kind::Peer) {
            missing.remove(peer.msp_id.as_str());
        }
    }
    missing.is_empty()
}
