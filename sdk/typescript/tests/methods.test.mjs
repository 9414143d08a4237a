// What a second sending of each method does, as the interface says of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { repeatOf } from "../dist/retry.js";
import { IdentityService } from "../dist/identity.js";
import { LedgerService } from "../dist/ledger.js";
import { OperationService } from "../dist/operation.js";
import { TokenomicsService } from "../dist/tokenomics.js";
import { WalletService } from "../dist/wallet.js";

test("only these methods do something again when they are sent again", () => {
  const services = [IdentityService, LedgerService, OperationService, TokenomicsService, WalletService];
  const methods = services.flatMap((service) => service.methods);
  const counting = methods.filter((method) => repeatOf(method) === "counts").map((method) => method.name);
  assert.deepEqual(counting, [
    "StartRegistration",
    "Login",
    "Logout",
    "ChangePassword",
    "UploadDocument",
    "SubmitVerification",
  ]);
});
