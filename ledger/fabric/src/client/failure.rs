//! What a status of Fabric's gateway says about a transaction. The top message is
//! generic and the code misleads; the causes stand in the details, one a peer or
//! orderer.

use gx_proto::gx::contract::v1::BatchRefused;
use prost::Message;
use tonic::{Code, Status};

use super::peer::causes;
use crate::{ChaincodeFailure, LedgerError, proto::gateway::ErrorDetail};

/// A failure while a batch is endorsed: whatever it is, there is no transaction.
pub(super) fn endorsing(status: &Status) -> LedgerError {
    let told = Told::read(status);
    if let Some(refused) = told.refusal() {
        return LedgerError::BatchRefused(refused);
    }
    if let Some(error) = told.of_the_call() {
        return error;
    }
    let message = told.words();
    if told.says(&["ProposalResponsePayloads do not match"]) {
        LedgerError::Disagree { message }
    } else if told.says(FROM_CHAINCODE) {
        LedgerError::Chaincode { message }
    } else {
        LedgerError::Internal { message }
    }
}

/// A failure while an envelope is handed to orderers.
pub(super) fn submitting(status: &Status) -> LedgerError {
    let told = Told::read(status);
    let message = told.words();
    // Whoever was not asked or did not answer may have ordered it.
    if told.everyone_says(&["exceeds maximum allowed"]) {
        return LedgerError::TooLarge { message };
    }
    if told.everyone_says(REFUSED_FOR_GOOD) || told.code == Code::InvalidArgument {
        return LedgerError::EnvelopeRefused { message };
    }
    told.of_the_call()
        .unwrap_or(LedgerError::Unavailable { message })
}

/// A failure of a question or of a status call.
pub(super) fn asking(status: &Status) -> LedgerError {
    let told = Told::read(status);
    if let Some(error) = told.of_the_call() {
        return error;
    }
    let message = told.words();
    match told.says(FROM_CHAINCODE) {
        true => LedgerError::Chaincode { message },
        false => LedgerError::Internal { message },
    }
}

/// Words of a peer that ran the chaincode, or tried to.
const FROM_CHAINCODE: &[&str] = &[
    "chaincode response ",
    "error in simulation",
    "failed to execute transaction",
];
/// Answers of an orderer that it will give again whenever it is asked.
const REFUSED_FOR_GOOD: &[&str] = &["status=BAD_REQUEST", "status=FORBIDDEN"];
/// Words for too many calls under way.
const OVERLOADED: &[&str] = &["exceeding concurrency limit", "too many requests"];
/// Words for a message beyond a limit, of gRPC itself on either side.
const TOO_LARGE: &[&str] = &["larger than max", "message length too large"];

/// A status and its details.
struct Told {
    code: Code,
    message: String,
    details: Vec<ErrorDetail>,
    /// Nobody answered: the status was made on this side.
    own: bool,
}

impl Told {
    fn read(status: &Status) -> Self {
        let cause = std::error::Error::source(status);
        let details = tonic_types::pb::Status::decode(status.details()).unwrap_or_default();
        let details = details.details.iter();
        Self {
            code: status.code(),
            message: cause.map_or_else(|| status.message().to_owned(), causes),
            details: details
                .filter_map(|any| ErrorDetail::decode(any.value.as_slice()).ok())
                .collect(),
            own: cause.is_some(),
        }
    }

    /// The top message and what each peer said.
    fn words(&self) -> String {
        let details = self.details.iter();
        details.fold(self.message.clone(), |words, detail| {
            let ErrorDetail {
                address,
                msp_id,
                message,
            } = detail;
            format!("{words}; {msp_id} at {address}: {message}")
        })
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let details = self.details.iter().map(|detail| detail.message.as_str());
        details.chain([self.message.as_str()])
    }

    fn says(&self, words: &[&str]) -> bool {
        self.texts()
            .any(|text| words.iter().any(|word| text.contains(word)))
    }

    /// Whether every orderer that was asked says one of the words; the last one's answer
    /// is the message itself where it was an answer.
    fn everyone_says(&self, words: &[&str]) -> bool {
        let says = |text: &str| words.iter().any(|word| text.contains(word));
        match self.details.is_empty() {
            true => says(&self.message),
            false => self.details.iter().all(|detail| says(&detail.message)),
        }
    }

    /// The contract's own refusal of the whole batch.
    fn refusal(&self) -> Option<BatchRefused> {
        self.texts()
            .find_map(|text| ChaincodeFailure::new(text).refusal())
    }

    /// What went wrong with the call itself, whatever it asked for.
    fn of_the_call(&self) -> Option<LedgerError> {
        let message = self.words();
        if self.says(TOO_LARGE) {
            return Some(LedgerError::TooLarge { message });
        }
        if self.says(OVERLOADED) {
            return Some(LedgerError::Overloaded { message });
        }
        match self.code {
            Code::DeadlineExceeded | Code::Cancelled => Some(LedgerError::Timeout),
            Code::Unavailable => Some(LedgerError::Unavailable { message }),
            _ if self.own => Some(LedgerError::Unavailable { message }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::contract::v1::BatchRefusal;

    use super::*;

    /// A status as a gateway sends it.
    fn status(code: Code, message: &str, details: &[&str]) -> Status {
        let any = |message: &&str| {
            let detail = ErrorDetail {
                address: "peer0.org1.example.com:7051".into(),
                msp_id: "Org1MSP".into(),
                message: (*message).to_owned(),
            };
            prost_types::Any {
                type_url: "type.googleapis.com/gateway.ErrorDetail".into(),
                value: detail.encode_to_vec(),
            }
        };
        let encoded = tonic_types::pb::Status {
            code: code as i32,
            message: message.to_owned(),
            details: details.iter().map(any).collect(),
        };
        Status::with_details(code, message, encoded.encode_to_vec().into())
    }

    /// Which variant an error is.
    fn kind(error: &LedgerError) -> String {
        let shown = format!("{error:?}");
        let end = shown.find([' ', '(']).unwrap_or(shown.len());
        shown[..end].to_owned()
    }

    const NOT_ENDORSED: &str = "failed to endorse transaction, see attached details for more info";
    const NOT_ORDERED: &str = "no orderers could successfully process transaction";

    #[test]
    fn a_failure_to_endorse_is_read_from_its_details() {
        let timeout = "error in simulation: failed to execute transaction 5e: timeout expired \
                       while executing transaction";
        let cases = [
            (
                Code::Aborted,
                NOT_ENDORSED,
                &["chaincode response 500, poison"][..],
                "Chaincode",
            ),
            (Code::Aborted, NOT_ENDORSED, &[timeout], "Chaincode"),
            (
                Code::Aborted,
                "failed to assemble transaction: ProposalResponsePayloads do not match",
                &[],
                "Disagree",
            ),
            (
                Code::Unknown,
                "too many requests for /gateway.Gateway, exceeding concurrency limit (500)",
                &[],
                "Overloaded",
            ),
            (
                Code::ResourceExhausted,
                "grpc: received message larger than max (104857700 vs. 104857600)",
                &[],
                "TooLarge",
            ),
            (Code::Unavailable, "no peers available", &[], "Unavailable"),
            (
                Code::DeadlineExceeded,
                "endorsement timeout expired",
                &[],
                "Timeout",
            ),
            (
                Code::FailedPrecondition,
                "no combination of peers",
                &[],
                "Internal",
            ),
        ];
        for (code, message, details, expected) in cases {
            let error = endorsing(&status(code, message, details));
            assert_eq!(kind(&error), expected, "{message} {details:?}");
        }
    }

    #[test]
    fn a_refusal_of_the_contract_is_found_among_other_details() {
        let mut refused = BatchRefused::default();
        refused.set_reason(BatchRefusal::LaneCursor);
        let failure = ChaincodeFailure::refused(&refused).message;
        let detail = format!("chaincode response 500, {failure}");
        let details = ["connection refused", detail.as_str()];
        let error = endorsing(&status(Code::Aborted, NOT_ENDORSED, &details));
        assert_eq!(error, LedgerError::BatchRefused(refused));
    }

    #[test]
    fn an_envelope_is_dead_only_if_every_orderer_says_so() {
        let bad = "received unsuccessful response from orderer: status=BAD_REQUEST, info=expired";
        let large = "received unsuccessful response from orderer: status=BAD_REQUEST, info=message \
                     payload is 11 bytes and exceeds maximum allowed 10 bytes";
        let away = "rpc error: code = Unavailable desc = connection refused";
        let cases = [
            (Code::Unavailable, &[bad, bad][..], "EnvelopeRefused"),
            (Code::Unavailable, &[bad, away], "Unavailable"),
            (Code::Unavailable, &[large], "TooLarge"),
            (Code::Unavailable, &[large, away], "Unavailable"),
            (Code::Aborted, &[away], "Unavailable"),
            (Code::DeadlineExceeded, &[], "Timeout"),
            (Code::InvalidArgument, &[], "EnvelopeRefused"),
        ];
        for (code, details, expected) in cases {
            let error = submitting(&status(code, NOT_ORDERED, details));
            assert_eq!(kind(&error), expected, "{code:?} {details:?}");
        }
    }

    #[test]
    fn an_orderer_s_answer_may_stand_in_the_message_alone() {
        let answer = "received unsuccessful response from orderer: status=";
        for (answered, expected) in [
            (
                "FORBIDDEN, info=implicit policy evaluation failed",
                "EnvelopeRefused",
            ),
            ("SERVICE_UNAVAILABLE, info=no leader", "Unavailable"),
        ] {
            let error = submitting(&status(Code::Aborted, &format!("{answer}{answered}"), &[]));
            assert_eq!(kind(&error), expected, "{answered}");
        }
    }

    #[test]
    fn what_this_side_made_up_says_that_nobody_was_reached() {
        let cause = std::io::Error::new(std::io::ErrorKind::BrokenPipe, "broken pipe");
        let error = asking(&Status::from_error(Box::new(cause)));
        assert_eq!(kind(&error), "Unavailable");
    }
}
