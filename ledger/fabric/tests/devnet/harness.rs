//! A contract that does what its argument says, and a chain to run it on.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use gx_contract::{Invocation, State};
use gx_fabric::{
    ChaincodeFailure, Contract, Identity, LedgerError, ValidationFlag,
    contract::{FUNCTION_BATCH, FUNCTION_QUERY},
    devnet::{CHAINCODE, CHANNEL, Core, CoreOptions, MSP_ID, Nonces},
    proposal::Draft,
};
use gx_proto::gx::contract::v1::{
    Batch, BatchCommitted, BatchRefusal, BatchRefused, Domain, LaneCursor, QueryResult,
    query_result,
};
use prost::Message;

/// The time of everything in tests.
pub(crate) const NOW_MS: i64 = 1_795_000_000_000;

/// Runs words: `get a`, `put a 1`, `delete a`, `range a z 10`, `fail`, parted by `;`.
/// The event is what was read.
pub(crate) struct Script;

impl Contract for Script {
    fn invoke(
        &self,
        state: &mut dyn State,
        _: &Invocation,
        argument: &[u8],
    ) -> Result<Vec<u8>, ChaincodeFailure> {
        let mut seen = Vec::new();
        for step in std::str::from_utf8(argument).unwrap().split(';') {
            let words: Vec<_> = step.split_whitespace().collect();
            match words[..] {
                ["get", key] => {
                    let value = state.get(key)?.unwrap_or_else(|| b"-".to_vec());
                    seen.push(format!("{key}={}", String::from_utf8(value).unwrap()));
                }
                ["put", key, value] => state.put(key.into(), value.into()),
                ["empty", key] => state.put(key.into(), Vec::new()),
                ["delete", key] => state.delete(key.into()),
                ["range", start, end, limit] => {
                    let found = state.range(start, end, limit.parse().unwrap())?;
                    seen.extend(found.into_iter().map(|(key, _)| key));
                }
                _ => return Err(ChaincodeFailure::new(format!("cannot {step}"))),
            }
        }
        Ok(seen.join(" ").into_bytes())
    }

    fn query(&self, state: &mut dyn State, argument: &[u8]) -> Result<Vec<u8>, ChaincodeFailure> {
        let nobody = Invocation {
            timestamp_ms: 0,
            msp_id: String::new(),
            role: None,
        };
        self.invoke(state, &nobody, argument)
    }
}

/// Keeps one cursor a lane and nothing else; answers every question with that of
/// partner lane 0.
pub(crate) struct Cursors;

impl Contract for Cursors {
    fn invoke(
        &self,
        state: &mut dyn State,
        invocation: &Invocation,
        argument: &[u8],
    ) -> Result<Vec<u8>, ChaincodeFailure> {
        let batch = Batch::decode(argument).unwrap();
        let lane = batch.lane.unwrap();
        let key = format!("{:?}/{}", lane.domain(), lane.number);
        let number = cursor(state, &key)?;
        if number + 1 != batch.first_sequence {
            let cursor = Some(LaneCursor {
                number,
                ..LaneCursor::default()
            });
            let mut refused = BatchRefused {
                cursor,
                ..BatchRefused::default()
            };
            refused.set_reason(BatchRefusal::LaneCursor);
            return Err(ChaincodeFailure::refused(&refused));
        }
        let number = number + batch.commands.len() as u64;
        state.put(key, number.to_be_bytes().to_vec());
        let committed = BatchCommitted {
            msp_id: format!(
                "{} {}",
                invocation.msp_id,
                invocation.role.unwrap().attribute()
            ),
            first_sequence: batch.first_sequence,
            cursor: Some(LaneCursor {
                number,
                ..LaneCursor::default()
            }),
            ..BatchCommitted::default()
        };
        Ok(committed.encode_to_vec())
    }

    fn query(&self, state: &mut dyn State, _: &[u8]) -> Result<Vec<u8>, ChaincodeFailure> {
        let number = cursor(state, &format!("{:?}/0", Domain::Partner))?;
        let lane = query_result::Result::Lane(LaneCursor {
            number,
            ..LaneCursor::default()
        });
        Ok(QueryResult { result: Some(lane) }.encode_to_vec())
    }
}

fn cursor(state: &mut dyn State, key: &str) -> Result<u64, ChaincodeFailure> {
    let value = state.get(key)?;
    Ok(value.map_or(0, |value| u64::from_be_bytes(value.try_into().unwrap())))
}

/// Options with a clock that stands still.
pub(crate) fn options(contract: impl Contract + 'static, endorsers: usize) -> CoreOptions {
    let mut options = CoreOptions::new(Arc::new(contract), endorsers);
    options.clock = Arc::new(|| NOW_MS);
    options
}

/// Nonces that count.
pub(crate) fn nonces(first: u64) -> Nonces {
    let next = AtomicU64::new(first);
    Arc::new(move || {
        let mut nonce = [0; 24];
        nonce[16..].copy_from_slice(&next.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        nonce
    })
}

/// An endorsed script.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) tx_id: String,
    pub(crate) envelope: Bytes,
}

/// A chain that runs scripts.
pub(crate) struct Chain {
    pub(crate) core: Arc<Core>,
    nonces: Nonces,
}

impl Chain {
    pub(crate) fn new(endorsers: usize) -> Self {
        Self::with(Core::in_memory(options(Script, endorsers)))
    }

    pub(crate) fn open(folder: &Path) -> Self {
        Self::with(Core::open(options(Script, 1), folder).unwrap())
    }

    pub(crate) fn with(core: Core) -> Self {
        // A chain that is opened again must not see the nonces of its past.
        let nonces = nonces(core.height() * 1_000);
        Self {
            core: Arc::new(core),
            nonces,
        }
    }

    /// A chain on which each script has made a block of its own.
    pub(crate) fn running(scripts: &[&str]) -> Self {
        let chain = Self::new(1);
        scripts.iter().for_each(|script| chain.run(script));
        chain
    }

    pub(crate) fn proposal(&self, function: &str, script: &str) -> (String, Bytes) {
        let identity = Identity::of_domain(MSP_ID, Domain::Partner).unwrap();
        let draft = Draft {
            channel: CHANNEL,
            chaincode: CHAINCODE,
            function,
            argument: script.to_owned().into(),
            creator: identity.to_creator(),
            nonce: (self.nonces)(),
            timestamp_ms: NOW_MS,
        };
        draft.encode()
    }

    pub(crate) fn try_prepare(&self, script: &str) -> Result<Prepared, LedgerError> {
        let (tx_id, proposal) = self.proposal(FUNCTION_BATCH, script);
        Ok(Prepared {
            tx_id,
            envelope: self.core.endorse(&proposal)?,
        })
    }

    pub(crate) fn prepare(&self, script: &str) -> Prepared {
        self.try_prepare(script).unwrap()
    }

    /// Submits all and makes one block of them; the flags that they get.
    pub(crate) fn commit(&self, prepared: &[&Prepared]) -> Vec<u8> {
        for prepared in prepared {
            self.core.submit(&prepared.envelope).unwrap();
        }
        let number = self.core.cut_block().unwrap().unwrap();
        self.flags(number)
    }

    /// One script, alone in its block.
    pub(crate) fn run(&self, script: &str) {
        assert_eq!(self.commit(&[&self.prepare(script)]), [0]);
    }

    pub(crate) fn flags(&self, number: u64) -> Vec<u8> {
        let block = self.core.block(number).unwrap().unwrap();
        block.metadata.unwrap().metadata[2].to_vec()
    }

    /// What a script reads now.
    pub(crate) fn ask(&self, script: &str) -> String {
        let (_, proposal) = self.proposal(FUNCTION_QUERY, script);
        let answer = self.core.evaluate(&proposal).unwrap();
        String::from_utf8(answer.to_vec()).unwrap()
    }

    pub(crate) fn status(&self, prepared: &Prepared) -> Option<(ValidationFlag, u64)> {
        self.core
            .status(&prepared.tx_id)
            .map(|status| (status.flag, status.block))
    }
}
