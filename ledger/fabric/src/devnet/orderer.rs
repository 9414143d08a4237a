//! The orderer's door: which envelopes are ordered at all. It looks at size, headers
//! and signature, never into the transaction.

use bytes::Bytes;
use prost::Message;

use super::{
    core::Core,
    endorser::unsatisfied,
    trust::{Roll, Signed, Trust},
    unmarshal::unmarshal,
};
use crate::{
    LedgerError,
    msp::Kind,
    proto::common::{
        ChannelHeader, Envelope, Header, HeaderType, Payload, SignatureHeader, Status,
    },
};

/// An envelope that is not ordered.
#[derive(Debug)]
pub(super) struct Refused {
    /// Fabric's status of it.
    pub(super) status: Status,
    /// Why, in Fabric's words.
    pub(super) info: String,
    too_large: bool,
}

impl Refused {
    fn bad(info: impl Into<String>) -> Self {
        Self {
            status: Status::BadRequest,
            info: info.into(),
            too_large: false,
        }
    }
}

impl From<Refused> for LedgerError {
    fn from(refused: Refused) -> Self {
        let message = refused.info;
        match refused.too_large {
            true => Self::TooLarge { message },
            false => Self::EnvelopeRefused { message },
        }
    }
}

impl Core {
    /// Whether the orderer takes an envelope.
    ///
    /// # Errors
    /// If not, for good.
    pub(super) fn check_envelope(&self, envelope: &Bytes) -> Result<(), Refused> {
        let malformed =
            |why: String| Refused::bad(format!("could not determine channel ID: {why}"));
        let envelope: Envelope = unmarshal("Envelope", envelope).map_err(malformed)?;
        let payload: Payload = unmarshal("Payload", &envelope.payload).map_err(malformed)?;
        let header = payload
            .header
            .ok_or_else(|| malformed("header not set".into()))?;
        let channel: ChannelHeader =
            unmarshal("ChannelHeader", &header.channel_header).map_err(malformed)?;
        if channel.channel_id != self.options.channel {
            return Err(Refused::bad("channel does not exist"));
        }
        check_type(&channel)?;
        check_size(&envelope, self.options.limits.absolute_max_bytes)?;
        match &self.options.trust {
            Trust::Word => Ok(()),
            Trust::Certificates(roll) => {
                check_creator(roll, &header, &envelope, (self.options.clock)())
            }
        }
    }
}

fn check_type(channel: &ChannelHeader) -> Result<(), Refused> {
    let name = HeaderType::try_from(channel.r#type).map(|kind| kind.as_str_name());
    let why = match name {
        Ok("CONFIG") => "message is of type that cannot be processed directly",
        Ok("CONFIG_UPDATE") => "the channel's configuration cannot be updated",
        Ok("ORDERER_TRANSACTION") => "message is of type that is no longer supported",
        _ => return Ok(()),
    };
    Err(Refused::bad(why))
}

fn check_size(envelope: &Envelope, max: usize) -> Result<(), Refused> {
    let size = envelope.payload.len() + envelope.signature.len();
    if size <= max {
        return Ok(());
    }
    Err(Refused {
        too_large: true,
        ..Refused::bad(format!(
            "message payload is {size} bytes and exceeds maximum allowed {max} bytes"
        ))
    })
}

fn check_creator(
    roll: &Roll,
    header: &Header,
    envelope: &Envelope,
    now_ms: i64,
) -> Result<(), Refused> {
    let signature = SignatureHeader::decode(header.signature_header.clone()).map_err(|_| {
        Refused::bad("could not convert message to signedData: error unmarshalling SignatureHeader")
    })?;
    let creator = &signature.creator;
    let member = roll.member(creator).ok();
    if member.is_some_and(|member| member.certificate.not_after_ms() < now_ms) {
        return Err(Refused::bad("broadcast client identity expired"));
    }
    let signed = Signed {
        creator,
        message: &envelope.payload,
        signature: &envelope.signature,
    };
    match roll.signer(&signed, Kind::may_write) {
        Some(_) => Ok(()),
        None => Err(Refused {
            status: Status::Forbidden,
            info: format!("{}: permission denied", unsatisfied("Writers")),
            too_large: false,
        }),
    }
}
