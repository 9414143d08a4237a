// Streams whose server falls silent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../dist/resume.js";

test("a stream that is silent for too long is opened again where it was", async () => {
  const asked = [];
  let next = 0;
  const numbers = {
    silenceMs: 20,
    async *open(signal) {
      asked.push(next);
      yield next;
      // Nothing more comes, and nothing says that the connection is gone.
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      });
    },
    read: (number) => (next = number + 1) - 1,
  };
  const seen = [];
  for await (const number of follow(numbers)) {
    seen.push(number);
    if (number === 2) break;
  }
  assert.deepEqual(seen, [0, 1, 2]);
  assert.deepEqual(asked, [0, 1, 2]);
});
