//! Reasons and their canonical codes.

use gx_proto::gx::common::v1::Reason;
use tonic::Code;

/// The canonical code of a reason.
pub fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidField | Reason::MalformedMessage | Reason::CodeWrong => {
            Code::InvalidArgument
        }
        Reason::UnknownMethod => Code::Unimplemented,
        Reason::TokenMissing
        | Reason::TokenInvalid
        | Reason::TokenExpired
        | Reason::SessionRevoked
        | Reason::RefreshTokenReused
        | Reason::CredentialsWrong => Code::Unauthenticated,
        Reason::RoleMissing | Reason::OwnVerification => Code::PermissionDenied,
        Reason::NotFound => Code::NotFound,
        Reason::RequestIdReused => Code::AlreadyExists,
        Reason::MessageTooLarge
        | Reason::RateLimited
        | Reason::Overloaded
        | Reason::LoginLocked => Code::ResourceExhausted,
        Reason::CatchingUp | Reason::Unavailable => Code::Unavailable,
        Reason::Deadline => Code::DeadlineExceeded,
        Reason::Internal | Reason::Unspecified => Code::Internal,
        Reason::StaleRead
        | Reason::ContactNotVerified
        | Reason::UserStatus
        | Reason::VerificationState
        | Reason::DocumentKnown
        | Reason::AccountNotBindable
        | Reason::InsufficientFunds
        | Reason::FeeChanged
        | Reason::SelfTransfer
        | Reason::SenderNotActive
        | Reason::ReceiverNotActive
        | Reason::UnknownReceiver
        | Reason::KnownCommitment
        | Reason::Voided
        | Reason::ChainRefused => Code::FailedPrecondition,
    }
}

/// The reason as clients see it: its name without the prefix.
pub fn reason_name(reason: Reason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("REASON_").unwrap_or(name)
}

/// A canonical code by its name in the gRPC specification.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
