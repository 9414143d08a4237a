// Transactions by the client's documented calls, and what it makes of those that fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as grpc from '@grpc/grpc-js';
import {
    CommitError,
    CommitStatusError,
    EndorseError,
    GatewayError,
    StatusCode,
} from '@hyperledger/fabric-gateway';
import { gateway as messages, msp } from '@hyperledger/fabric-protos';

import { asPartner, identity, network, signer, text, withGateway } from './connection.mjs';

test('each step is taken by itself', () =>
    asPartner(async (_, contract) => {
        const proposal = contract.newProposal('Batch', { arguments: ['put steps 1'] });
        const transaction = await proposal.endorse();
        assert.equal(transaction.getTransactionId(), proposal.getTransactionId());
        const commit = await transaction.submit();
        const status = await commit.getStatus();
        assert.equal(status.successful, true);
        assert.equal(status.code, StatusCode.VALID);
        assert.equal(status.transactionId, proposal.getTransactionId());
        assert.ok(status.blockNumber > 0n);
        assert.equal(text(await contract.evaluateTransaction('Query', 'get steps')), 'steps=1');
    }));

test('a transaction is submitted in one call', () =>
    asPartner(async (_, contract) => {
        await contract.submitTransaction('Batch', 'put whole 1');
        assert.equal(text(await contract.evaluateTransaction('Query', 'get whole')), 'whole=1');
    }));

test('a submit need not wait for the commit', () =>
    asPartner(async (_, contract) => {
        const commit = await contract.submitAsync('Batch', { arguments: ['put later 1'] });
        const status = await commit.getStatus();
        assert.equal(status.successful, true);
    }));

test('a proposal evaluates without a trace', () =>
    asPartner(async (_, contract) => {
        const proposal = contract.newProposal('Batch', { arguments: ['put trace 1'] });
        await proposal.evaluate();
        assert.equal(text(await contract.evaluateTransaction('Query', 'get trace')), 'trace=-');
    }));

test('organizations may be named', () =>
    asPartner(async (_, contract) => {
        const endorsingOrganizations = ['Org2MSP', 'Org1MSP'];
        const options = { arguments: ['put named 1'], endorsingOrganizations };
        await contract.submit('Batch', options);
        const alone = { arguments: ['put alone 1'], endorsingOrganizations: ['Org2MSP'] };
        await assert.rejects(contract.submit('Batch', alone), (error) => {
            assert.ok(error instanceof CommitError);
            assert.equal(error.code, StatusCode.ENDORSEMENT_POLICY_FAILURE);
            return true;
        });
        const nobody = { arguments: ['put nobody 1'], endorsingOrganizations: ['NopeMSP'] };
        await assert.rejects(contract.submit('Batch', nobody), (error) => {
            assert.ok(error instanceof EndorseError);
            assert.equal(error.code, grpc.status.UNAVAILABLE);
            return true;
        });
    }));

test('a refusal while evaluating is a GatewayError with the peer that refused', () =>
    asPartner(async (_, contract) => {
        await assert.rejects(contract.evaluateTransaction('Query', 'explode'), (error) => {
            assert.ok(error instanceof GatewayError);
            assert.equal(error.code, grpc.status.UNKNOWN);
            assert.equal(error.details.length, 1);
            assert.equal(error.details[0].mspId, 'Org1MSP');
            assert.equal(error.details[0].message, 'chaincode response 500, cannot explode');
            return true;
        });
    }));

test('a refusal while endorsing is an EndorseError with the peer that refused', () =>
    asPartner(async (_, contract) => {
        await assert.rejects(contract.submitTransaction('Batch', 'explode'), (error) => {
            assert.ok(error instanceof EndorseError);
            assert.equal(error.code, grpc.status.ABORTED);
            assert.match(error.transactionId, /^[0-9a-f]{64}$/);
            assert.equal(error.details[0].mspId, 'Org1MSP');
            assert.equal(error.details[0].message, 'chaincode response 500, cannot explode');
            return true;
        });
    }));

test('an envelope that the orderer refuses is a SubmitError', () =>
    asPartner(async (_, contract, gateway) => {
        const proposal = contract.newProposal('Batch', { arguments: ['put refused 1'] });
        const transaction = await proposal.endorse();
        const signature = await signer('admin')(transaction.getDigest());
        const signed = gateway.newSignedTransaction(transaction.getBytes(), signature);
        await assert.rejects(signed.submit(), (error) => {
            // The client names this class and does not export it.
            assert.ok(error instanceof GatewayError);
            assert.equal(error.name, 'SubmitError');
            assert.equal(error.code, grpc.status.ABORTED);
            assert.equal(error.transactionId, proposal.getTransactionId());
            assert.match(error.message, /status=FORBIDDEN/);
            return true;
        });
    }));

test('a conflict is a CommitError with the flag', () =>
    asPartner(async (_, contract) => {
        const first = await contract
            .newProposal('Batch', { arguments: ['get contended;put contended 1'] })
            .endorse();
        await first.submit();
        const second = contract.submitTransaction('Batch', 'get contended;put contended 2');
        await assert.rejects(second, (error) => {
            assert.ok(error instanceof CommitError);
            assert.equal(error.code, StatusCode.MVCC_READ_CONFLICT);
            assert.match(error.transactionId, /^[0-9a-f]{64}$/);
            return true;
        });
        const answer = await contract.evaluateTransaction('Query', 'get contended');
        assert.equal(text(answer), 'contended=1');
    }));

test('a deadline that passes ends the wait for a transaction that never was ordered', () =>
    asPartner(async (_, contract, gateway) => {
        const proposal = contract.newProposal('Batch', { arguments: ['put never 1'] });
        const commit = gateway.newCommit(statusRequest(proposal.getTransactionId()));
        await assert.rejects(commit.getStatus({ deadline: Date.now() + 200 }), (error) => {
            assert.ok(error instanceof CommitStatusError);
            assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
            return true;
        });
    }));

test('a deadline that has passed ends every call', () =>
    withGateway('partner', { evaluateOptions: () => ({ deadline: 1 }) }, async (gateway) => {
        const contract = gateway.getNetwork(network.channel).getContract(network.chaincode);
        await assert.rejects(contract.evaluateTransaction('Query', 'get a'), (error) => {
            assert.ok(error instanceof GatewayError);
            assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
            return true;
        });
    }));

function statusRequest(transactionId) {
    const { mspId, credentials } = identity('partner');
    const creator = new msp.SerializedIdentity();
    creator.setMspid(mspId);
    creator.setIdBytes(credentials);
    const request = new messages.CommitStatusRequest();
    request.setChannelId(network.channel);
    request.setTransactionId(transactionId);
    request.setIdentity(creator.serializeBinary());
    const signed = new messages.SignedCommitStatusRequest();
    signed.setRequest(request.serializeBinary());
    return signed.serializeBinary();
}
