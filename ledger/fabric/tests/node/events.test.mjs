// Events of the contract and blocks, from the past and as they come.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { checkpointers } from '@hyperledger/fabric-gateway';
import { common, orderer, peer } from '@hyperledger/fabric-protos';

import { asPartner, network, signer, take, text } from './connection.mjs';

/** Commits a script and tells where it stands. */
async function commit(contract, script) {
    const submitted = await contract.submitAsync('Batch', { arguments: [script] });
    const status = await submitted.getStatus();
    assert.equal(status.successful, true);
    return status;
}

test('events are replayed from a block on', () =>
    asPartner(async (channel, contract) => {
        const one = await commit(contract, 'put replay 1;get replay');
        const two = await commit(contract, 'get replay');
        const options = { startBlock: one.blockNumber };
        const events = await channel.getChaincodeEvents(network.chaincode, options);
        const taken = await take(2, events);
        assert.deepEqual(
            taken.map((event) => event.transactionId),
            [one.transactionId, two.transactionId],
        );
        assert.equal(taken[0].blockNumber, one.blockNumber);
        assert.equal(taken[0].chaincodeName, network.chaincode);
        assert.equal(taken[0].eventName, 'gx.batch.v1');
        assert.equal(text(taken[0].payload), 'replay=-');
        assert.equal(text(taken[1].payload), 'replay=1');
    }));

test('events come as they happen', () =>
    asPartner(async (channel, contract) => {
        const events = await channel.getChaincodeEvents(network.chaincode);
        const waiting = take(1, events);
        // Where the stream begins is known only by what it shows: the first commit that
        // it misses is made good by the next.
        let seen;
        const stop = waiting.then((taken) => (seen = taken[0]));
        while (!seen) {
            const submitted = commit(contract, 'put happen 1');
            await Promise.race([stop, submitted]);
            await submitted;
        }
        assert.equal(seen.eventName, 'gx.batch.v1');
    }));

for (const [name, open] of [
    ['in memory', () => checkpointers.inMemory()],
    ['in a file', (folder) => checkpointers.file(join(folder, 'checkpoint.json'))],
]) {
    test(`a checkpoint ${name} goes on after the event that was handled`, () =>
        asPartner(async (channel, contract) => {
            const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
            try {
                const checkpoint = await open(folder);
                const one = await commit(contract, 'get checkpoint');
                const two = await commit(contract, 'get checkpoint');
                const start = { checkpoint, startBlock: one.blockNumber };
                const first = await channel.getChaincodeEvents(network.chaincode, start);
                const [handled] = await take(1, first);
                assert.equal(handled.transactionId, one.transactionId);
                await checkpoint.checkpointChaincodeEvent(handled);
                const again = await channel.getChaincodeEvents(network.chaincode, start);
                const [next] = await take(1, again);
                assert.equal(next.transactionId, two.transactionId);
            } finally {
                rmSync(folder, { recursive: true });
            }
        }));
}

test('blocks come whole', () =>
    asPartner(async (channel, contract) => {
        const { blockNumber, transactionId } = await commit(contract, 'put block 1');
        const blocks = await channel.getBlockEvents({ startBlock: blockNumber });
        const [block] = await take(1, blocks);
        assert.equal(BigInt(block.getHeader().getNumber()), blockNumber);
        const envelopes = block.getData().getDataList_asU8();
        const ids = envelopes.map((bytes) => channelHeader(bytes).getTxId());
        assert.ok(ids.includes(transactionId));
        const flags = block.getMetadata().getMetadataList_asU8()[
            common.BlockMetadataIndex.TRANSACTIONS_FILTER
        ];
        assert.deepEqual([...flags], envelopes.map(() => peer.TxValidationCode.VALID));
    }));

test('blocks come filtered, with events that carry nothing', () =>
    asPartner(async (channel, contract) => {
        const { blockNumber, transactionId } = await commit(contract, 'get filtered');
        const blocks = await channel.getFilteredBlockEvents({ startBlock: blockNumber });
        const [block] = await take(1, blocks);
        assert.equal(block.getChannelId(), network.channel);
        assert.equal(BigInt(block.getNumber()), blockNumber);
        const [transaction] = block
            .getFilteredTransactionsList()
            .filter((found) => found.getTxid() === transactionId);
        assert.equal(transaction.getType(), common.HeaderType.ENDORSER_TRANSACTION);
        assert.equal(transaction.getTxValidationCode(), peer.TxValidationCode.VALID);
        const [action] = transaction.getTransactionActions().getChaincodeActionsList();
        const event = action.getChaincodeEvent();
        assert.equal(event.getEventName(), 'gx.batch.v1');
        assert.equal(event.getTxId(), transactionId);
        assert.equal(event.getPayload_asU8().length, 0);
    }));

test('blocks come with private data, of which there is none', () =>
    asPartner(async (channel, contract) => {
        const { blockNumber } = await commit(contract, 'put private 1');
        const blocks = await channel.getBlockAndPrivateDataEvents({ startBlock: blockNumber });
        const [both] = await take(1, blocks);
        assert.equal(BigInt(both.getBlock().getHeader().getNumber()), blockNumber);
        assert.equal(both.getPrivateDataMapMap().getLength(), 0);
    }));

test('blocks are replayed by a checkpoint', () =>
    asPartner(async (channel, contract) => {
        const { blockNumber } = await commit(contract, 'put blocks 1');
        const next = await commit(contract, 'put blocks 2');
        const checkpoint = checkpointers.inMemory();
        await checkpoint.checkpointBlock(blockNumber);
        const blocks = await channel.getBlockEvents({ checkpoint });
        const [block] = await take(1, blocks);
        assert.ok(BigInt(block.getHeader().getNumber()) > blockNumber);
        assert.ok(BigInt(block.getHeader().getNumber()) <= next.blockNumber);
    }));

test('a request for blocks that has an end is ended by a status', () =>
    asPartner(async (channel, contract, gateway) => {
        const { blockNumber } = await commit(contract, 'put end 1');
        const request = channel.newBlockEventsRequest({ startBlock: 0n });
        const envelope = common.Envelope.deserializeBinary(request.getBytes());
        envelope.setPayload(endingWith(envelope.getPayload_asU8(), 1));
        const unsigned = gateway.newBlockEventsRequest(envelope.serializeBinary());
        const signature = await signer('partner')(unsigned.getDigest());
        const bytes = envelope.serializeBinary();
        const signed = gateway.newSignedBlockEventsRequest(bytes, signature);
        const blocks = await signed.getEvents();
        const numbers = [];
        const read = async () => {
            for await (const block of blocks) {
                numbers.push(block.getHeader().getNumber());
            }
        };
        await assert.rejects(read(), { message: 'Unexpected status response: 200' });
        assert.deepEqual(numbers, [0, 1]);
        assert.ok(blockNumber >= 1n);
        blocks.close();
    }));

function channelHeader(bytes) {
    const envelope = common.Envelope.deserializeBinary(bytes);
    const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
    const header = payload.getHeader().getChannelHeader_asU8();
    return common.ChannelHeader.deserializeBinary(header);
}

function endingWith(bytes, number) {
    const payload = common.Payload.deserializeBinary(bytes);
    const seek = orderer.SeekInfo.deserializeBinary(payload.getData_asU8());
    seek.getStop().getSpecified().setNumber(number);
    payload.setData(seek.serializeBinary());
    return payload.serializeBinary();
}
