/** People: how they register, sign in, and are verified. */

import { create } from "@bufbuild/protobuf";
import { createClient, type Client } from "@connectrpc/connect";
import type { Calls } from "./calls.js";
import { missing } from "./error.js";
import { IdentityService } from "./gen/gx/identity/v1/identity_pb.js";
import {
  DocumentSchema,
  VerificationState,
  type Document,
  type Session,
  type User,
  type Verification,
} from "./gen/gx/identity/v1/types_pb.js";
import { items } from "./pages.js";
import { methodsOf, type CallOptions } from "./service.js";

export * from "./gen/gx/identity/v1/identity_pb.js";
export * from "./gen/gx/identity/v1/types_pb.js";

/** A stored document and its whole file. */
export interface DocumentFile {
  readonly document: Document;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** People and their sessions. */
export class Identity extends methodsOf(IdentityService) {
  readonly #client: Client<typeof IdentityService>;

  /** @internal */
  constructor(calls: Calls) {
    super(calls);
    this.#client = createClient(IdentityService, calls);
  }

  /** Whoever is signed in. */
  async me(options?: CallOptions): Promise<User> {
    const { user } = await this.getMe({}, options);
    if (!user) throw missing("user");
    return user;
  }

  /** One's own sessions, the latest login first. */
  sessions(options?: CallOptions): AsyncGenerator<Session, void, undefined> {
    return items(
      (page) => this.listSessions(page, options),
      (page) => page.sessions,
    );
  }

  /** Verifications in a state, or in any, oldest first: one's own, for staff everybody's. */
  verifications(
    state: VerificationState = VerificationState.UNSPECIFIED,
    options?: CallOptions,
  ): AsyncGenerator<Verification, void, undefined> {
    return items(
      (page) => this.listVerifications({ state, ...page }, options),
      (page) => page.verifications,
    );
  }

  /**
   * A stored document and its whole file.
   *
   * @throws GxError with NOT_FOUND; with whatever breaks the stream, which is not taken
   * up again, since each reading stands in the audit log.
   */
  async download(name: string, { signal }: CallOptions = {}): Promise<DocumentFile> {
    let document = create(DocumentSchema);
    const parts: BlobPart[] = [];
    for await (const part of this.#client.downloadDocument({ name }, signal ? { signal } : {})) {
      document = part.document ?? document;
      parts.push(new Uint8Array(part.content));
    }
    const content = new Uint8Array(await new Blob(parts).arrayBuffer());
    return { document, content };
  }
}
