"""A Fabric peer that dials the contract, has it answer questions, and refuses to read the state."""

import hashlib
import pathlib
import queue
import secrets
import threading

import grpc
from fabric_protos.common import common_pb2 as common
from fabric_protos.msp import identities_pb2 as identities
from fabric_protos.peer import chaincode_pb2 as chaincode
from fabric_protos.peer import chaincode_shim_pb2 as shim
from fabric_protos.peer import chaincode_shim_pb2_grpc as service
from fabric_protos.peer import proposal_pb2 as proposals

CHANNEL, NAME = "gx", "gx"
# A contract.Query for QueryContract, which reads the version of the rules.
ASK = [b"Query", b"\x1a\x00"]
ANSWERS = {shim.ChaincodeMessage.COMPLETED, shim.ChaincodeMessage.ERROR}


def question(creator):
    """A transaction that asks, as a client with the certificate `creator` would propose it."""
    nonce = secrets.token_bytes(24)
    creator = identities.SerializedIdentity(mspid="Org1MSP", id_bytes=creator).SerializeToString()
    identifier = hashlib.sha256(nonce + creator).hexdigest()
    named = chaincode.ChaincodeID(name=NAME)
    channel = common.ChannelHeader(
        type=common.ENDORSER_TRANSACTION, channel_id=CHANNEL, tx_id=identifier,
        extension=proposals.ChaincodeHeaderExtension(chaincode_id=named).SerializeToString())
    channel.timestamp.GetCurrentTime()
    header = common.Header(
        channel_header=channel.SerializeToString(),
        signature_header=common.SignatureHeader(creator=creator, nonce=nonce).SerializeToString())
    call = chaincode.ChaincodeInput(args=ASK)
    invocation = chaincode.ChaincodeInvocationSpec(
        chaincode_spec=chaincode.ChaincodeSpec(chaincode_id=named, input=call))
    payload = proposals.ChaincodeProposalPayload(input=invocation.SerializeToString())
    proposal = proposals.Proposal(header=header.SerializeToString(), payload=payload.SerializeToString())
    return shim.ChaincodeMessage(
        type=shim.ChaincodeMessage.TRANSACTION, txid=identifier, channel_id=CHANNEL,
        payload=call.SerializeToString(),
        proposal=proposals.SignedProposal(proposal_bytes=proposal.SerializeToString()))


class Peer:
    """A stream to the contract; what transactions ask of the peer's state fails."""

    def __init__(self, address):
        self.outgoing = queue.SimpleQueue()
        self.answered = threading.Event()
        self.channel = grpc.insecure_channel(address)
        self.incoming = service.ChaincodeStub(self.channel).Connect(iter(self.outgoing.get, None))
        assert next(self.incoming).type == shim.ChaincodeMessage.REGISTER
        for kind in (shim.ChaincodeMessage.REGISTERED, shim.ChaincodeMessage.READY):
            self.outgoing.put(shim.ChaincodeMessage(type=kind))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            for message in self.incoming:
                if message.type in ANSWERS:
                    self.answered.set()
                else:
                    self.outgoing.put(shim.ChaincodeMessage(
                        type=shim.ChaincodeMessage.ERROR, txid=message.txid, channel_id=message.channel_id,
                        payload=b"the state cannot be read"))
        except grpc.RpcError:
            pass

    def ask(self, certificate):
        """Has one question run, and waits for its answer."""
        self.answered.clear()
        self.outgoing.put(question(pathlib.Path(certificate).read_bytes()))
        assert self.answered.wait(10), "the contract answers"

    def end(self):
        self.incoming.cancel()
        self.channel.close()
