// `node scripts/generate.mjs [folder]`: makes messages and services of ../../proto, into
// src/gen unless a folder is named. Needs `buf` and googleapis-common-protos, which
// `make tools` puts into .venv.

import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const root = resolve(here, "../..");

/** Google's files that the interface imports, and the details that statuses carry. */
const GOOGLE = ["api/annotations", "api/http", "rpc/error_details", "rpc/status"];

/** Packages that are served; the chain's own words are not. */
const SERVED = ["common", "identity", "ledger", "operation", "tokenomics", "wallet"];

/** Writes the code into an existing or a new folder. */
export async function generate(folder) {
  const module = await mkdtemp(join(tmpdir(), "gx-proto-"));
  try {
    const google = await googleProtos();
    for (const name of GOOGLE) {
      const file = `google/${name}.proto`;
      await cp(join(google, file), join(module, file), { recursive: true });
    }
    for (const name of SERVED) {
      await cp(join(root, "proto/gx", name), join(module, "gx", name), { recursive: true });
    }
    const template = {
      version: "v2",
      plugins: [
        {
          local: [process.execPath, join(here, "node_modules/.bin/protoc-gen-es")],
          out: resolve(folder),
          opt: ["target=ts", "import_extension=js"],
        },
      ],
    };
    const arguments_ = ["generate", module, "--template", JSON.stringify(template)];
    execFileSync(join(root, ".venv/bin/buf"), arguments_, { stdio: "inherit" });
  } finally {
    await rm(module, { recursive: true });
  }
}

/** The site-packages that have them, whichever Python it is. */
async function googleProtos() {
  const library = join(root, ".venv/lib");
  const [python] = (await readdir(library)).filter((name) => name.startsWith("python"));
  return join(library, python ?? "python", "site-packages");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? join(here, "src/gen");
  await rm(folder, { recursive: true, force: true });
  await generate(folder);
}
