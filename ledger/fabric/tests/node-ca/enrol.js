// Enrols, enrols again and asks for the authority, with Fabric's own client. What it
// learnt goes to standard output as JSON.
//
// node enrol.js <port> <file of the connection's authority>; the secret by standard
// input.

const fs = require('node:fs');
const FabricCAServices = require('fabric-ca-client');
const {User} = require('fabric-common');

async function main([port, tlsFile]) {
  const secret = fs.readFileSync(0, 'utf8');
  const tls = {trustedRoots: [fs.readFileSync(tlsFile)], verify: true};
  const service = (name) => new FabricCAServices(`https://localhost:${port}`, tls, name);

  const own = service('ca-one');
  const first = await own.enroll({
    enrollmentID: 'partner',
    enrollmentSecret: secret,
    attr_reqs: [{name: 'gxc_role', optional: false}],
  });
  const usual = await service('').enroll({enrollmentID: 'partner', enrollmentSecret: secret});

  const suite = own.getCryptoSuite();
  const user = User.createUser('partner', '', 'Org1MSP', first.certificate, first.key.toBytes(), suite);
  const again = await own.reenroll(user, [{name: 'gxc_role', optional: false}]);

  const refused = await own
    .enroll({enrollmentID: 'partner', enrollmentSecret: 'wrong'})
    .then(() => 'enrolled', (error) => error.message);
  const info = await own._fabricCAClient.getCaInfo(user.getSigningIdentity());

  return {
    first: first.certificate,
    root: first.rootCertificate,
    usual: usual.certificate,
    again: again.certificate,
    refused,
    name: info.caName,
    chain: info.caChain,
  };
}

main(process.argv.slice(2)).then(
  (learnt) => console.log(JSON.stringify(learnt)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
