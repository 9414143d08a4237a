// Connects to the network that GX_CONNECTION describes.

import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

import * as grpc from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';

export const network = JSON.parse(readFileSync(process.env.GX_CONNECTION, 'utf8'));

const organization = network.orgs.org1;

/** A gRPC client of the gateway. */
export function client() {
    const credentials = grpc.credentials.createSsl(readFileSync(organization.tls_ca));
    return new grpc.Client(organization.gateway, credentials);
}

/** An identity as the client wants it. */
export function identity(name) {
    const { cert } = organization.identities[name];
    return { mspId: organization.msp_id, credentials: readFileSync(cert) };
}

/** Signs digests for an identity. */
export function signer(name) {
    const key = readFileSync(organization.identities[name].key);
    return signers.newPrivateKeySigner(createPrivateKey(key));
}

/** Runs something with a gateway, and closes what it opened. */
export async function withGateway(name, options, run) {
    const connection = client();
    const gateway = connect({
        client: connection,
        hash: hash.sha256,
        identity: identity(name),
        signer: signer(name),
        ...options,
    });
    try {
        return await run(gateway);
    } finally {
        gateway.close();
        connection.close();
    }
}

/** Runs something with the channel and the contract, as one who may submit. */
export function asPartner(run) {
    return withGateway('partner', {}, (gateway) => {
        const channel = gateway.getNetwork(network.channel);
        return run(channel, channel.getContract(network.chaincode), gateway);
    });
}

/** The first so many of a stream, which is closed then. */
export async function take(count, events) {
    const taken = [];
    try {
        for await (const event of events) {
            taken.push(event);
            if (taken.length === count) {
                break;
            }
        }
    } finally {
        events.close();
    }
    return taken;
}

export const text = (bytes) => Buffer.from(bytes).toString('utf8');
