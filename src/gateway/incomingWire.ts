/** A request of node:http as far as routing policies and key hosts look at it. */
import type { IncomingMessage } from "node:http";
import type { WireFacts } from "./order/viewer.ts";
import { fieldValue } from "./rawFields.ts";

export class IncomingWire implements WireFacts {
  incoming: IncomingMessage | null;

  constructor(incoming: IncomingMessage | null) {
    this.incoming = incoming;
  }

  get target(): string {
    return this.incoming?.url ?? "";
  }

  readonly header = (name: string): string | undefined => fieldValue(this.incoming?.rawHeaders ?? [], name);
  readonly peer = (): string | null => this.incoming?.socket.remoteAddress ?? null;
}
