// Every request signed away from the connection, which knows no key.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EndorseError } from '@hyperledger/fabric-gateway';

import { network, signer, take, text, withGateway } from './connection.mjs';

const sign = signer('partner');

/** Runs something with a gateway that cannot sign. */
function offline(run) {
    return withGateway('partner', { signer: undefined }, (gateway) => {
        const channel = gateway.getNetwork(network.channel);
        return run(gateway, channel, channel.getContract(network.chaincode));
    });
}

async function endorsed(gateway, contract, script) {
    const unsigned = contract.newProposal('Batch', { arguments: [script] });
    const signature = await sign(unsigned.getDigest());
    return gateway.newSignedProposal(unsigned.getBytes(), signature).endorse();
}

async function committed(gateway, contract, script) {
    const transaction = await endorsed(gateway, contract, script);
    const signature = await sign(transaction.getDigest());
    const signed = gateway.newSignedTransaction(transaction.getBytes(), signature);
    const unsigned = await signed.submit();
    const asked = await sign(unsigned.getDigest());
    return gateway.newSignedCommit(unsigned.getBytes(), asked).getStatus();
}

test('a transaction is signed at each step', () =>
    offline(async (gateway, _, contract) => {
        const status = await committed(gateway, contract, 'put offline 1');
        assert.equal(status.successful, true);
        const question = contract.newProposal('Query', { arguments: ['get offline'] });
        const signature = await sign(question.getDigest());
        const signed = gateway.newSignedProposal(question.getBytes(), signature);
        assert.equal(text(await signed.evaluate()), 'offline=1');
    }));

test('a proposal that nobody signed is refused', () =>
    offline(async (gateway, _, contract) => {
        const unsigned = contract.newProposal('Batch', { arguments: ['put unsigned 1'] });
        const wrong = await signer('admin')(unsigned.getDigest());
        const signed = gateway.newSignedProposal(unsigned.getBytes(), wrong);
        await assert.rejects(signed.endorse(), (error) => {
            assert.ok(error instanceof EndorseError);
            assert.match(error.details[0].message, /access denied/);
            return true;
        });
    }));

test('requests for events are signed', () =>
    offline(async (gateway, channel, contract) => {
        const status = await committed(gateway, contract, 'get offline');
        const options = { startBlock: status.blockNumber };
        const unsigned = channel.newChaincodeEventsRequest(network.chaincode, options);
        const signature = await sign(unsigned.getDigest());
        const request = gateway.newSignedChaincodeEventsRequest(unsigned.getBytes(), signature);
        const [event] = await take(1, await request.getEvents());
        assert.equal(event.transactionId, status.transactionId);
    }));

for (const [name, make, signed] of [
    ['blocks', 'newBlockEventsRequest', 'newSignedBlockEventsRequest'],
    ['filtered blocks', 'newFilteredBlockEventsRequest', 'newSignedFilteredBlockEventsRequest'],
    [
        'blocks with private data',
        'newBlockAndPrivateDataEventsRequest',
        'newSignedBlockAndPrivateDataEventsRequest',
    ],
]) {
    test(`requests for ${name} are signed`, () =>
        offline(async (gateway, channel) => {
            const unsigned = channel[make]({ startBlock: 0n });
            const signature = await sign(unsigned.getDigest());
            const request = gateway[signed](unsigned.getBytes(), signature);
            const [block] = await take(1, await request.getEvents());
            assert.ok(block);
        }));
}
