//! Fabric's messages as its own .proto files define them: `common`, `protos` (the
//! peer's), `msp`, `rwset`, `kvrwset`, `orderer` and `gateway`.

#![expect(
    missing_docs,
    reason = "generated; Fabric describes its messages itself"
)]
#![expect(clippy::allow_attributes, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/fabric.rs"));
