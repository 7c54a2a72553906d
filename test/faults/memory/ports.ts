/** Stands between a replicator and its ports in memory: each call can be failed, answered with a lie, or be the last one of a process. */
import type { BlobInfo } from "../../../src/core/ports/storage.ts";
import { MemoryBlobContainer } from "../../fakes/memoryBlobContainer.ts";

export interface PortCall {
  /** `north createLocator`, `journal save`. */
  readonly operation: string;
  readonly writes: boolean;
}

/**
 * - `go on` · `fail before` the call fails and does nothing · `fail after` it does what it should, and fails
 * - `no effect` a success that did nothing · `wrong bytes` a copy that is complete and other
 * - `die before`, `die after` the process is gone: nothing ever comes back to it
 */
export type Verdict = "go on" | "fail before" | "fail after" | "no effect" | "wrong bytes" | "die before" | "die after";

export interface Disturbance {
  readonly judge: (call: PortCall) => Verdict | Promise<Verdict>;
  /** After a call that may have changed something. */
  readonly wrote?: (call: PortCall) => Promise<void>;
  readonly failure: () => Error;
}

const WRITE = /^(create|put|copyFrom|write|delete|remove|save|record|acquire|release|commit|set)/;
/** What is not a call to a service. */
const LOCAL = new Set<string | symbol>(["region", "label", "readUrl", Symbol.asyncDispose, "holds", "then"]);

/** The process's own end of all its ports. */
export class Process {
  readonly #disturbance: Disturbance;
  #dead = false;

  constructor(disturbance: Disturbance) {
    this.#disturbance = disturbance;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** The same port, disturbed. `name` is the place: a region, `journal`, `catalogue`. */
  port<T extends object>(name: string, port: T): T {
    return new Proxy(port, {
      get: (whole, property) => {
        const member: unknown = Reflect.get(whole, property, whole);
        if (typeof member !== "function") return member;
        const call = (...values: unknown[]): unknown => Reflect.apply(member, whole, values);
        if (LOCAL.has(property)) return call;
        if (property === "container") return (...values: unknown[]) => this.port(name, call(...values) as object);
        return this.#disturbed({ operation: `${name} ${String(property)}`, writes: WRITE.test(String(property)) }, whole, call);
      },
    });
  }

  #disturbed(call: PortCall, port: object, run: (...values: unknown[]) => unknown): (...values: unknown[]) => unknown {
    const lists = isGenerator(Reflect.get(port, call.operation.split(" ")[1] ?? ""));
    return (...values) => (lists ? this.#listed(call, () => run(...values)) : this.#answered(call, port, run, values));
  }

  async *#listed(call: PortCall, run: () => unknown): AsyncGenerator<unknown> {
    const verdict = await this.#judged(call);
    if (verdict === "fail before") throw this.#disturbance.failure();
    const items = await Array.fromAsync(run() as AsyncIterable<unknown>);
    // Half of a listing, then an error.
    yield* verdict === "fail after" ? items.slice(0, Math.floor(items.length / 2)) : items;
    if (verdict === "fail after") throw this.#disturbance.failure();
    if (verdict === "die after") await this.#die();
  }

  async #answered(call: PortCall, port: object, run: (...values: unknown[]) => unknown, values: readonly unknown[]): Promise<unknown> {
    const verdict = await this.#judged(call);
    if (verdict === "fail before") throw this.#disturbance.failure();
    if (verdict === "no effect" && call.writes) return pretended(values);
    const answer = await run(...values);
    const told = verdict === "wrong bytes" ? corrupted(port, answer) : answer;
    if (call.writes) await this.#disturbance.wrote?.(call);
    if (verdict === "fail after") throw this.#disturbance.failure();
    if (verdict === "die after") await this.#die();
    // Its process died meanwhile.
    if (this.#dead) await this.#die();
    return told;
  }

  async #judged(call: PortCall): Promise<Verdict> {
    if (this.#dead) await this.#die();
    const verdict = await this.#disturbance.judge(call);
    if (verdict === "die before") await this.#die();
    return verdict;
  }

  async #die(): Promise<never> {
    this.#dead = true;
    return new Promise<never>(() => undefined);
  }
}

function isGenerator(member: unknown): boolean {
  return typeof member === "function" && (member.constructor.name === "AsyncGeneratorFunction" || member.name === "list");
}

/** What a success of a call that did nothing says: the asset as it was asked for, the blob as the source has it. */
function pretended(values: readonly unknown[]): unknown {
  const blob = values.find((value) => typeof value === "object" && value !== null && "etag" in value && "length" in value);
  if (blob !== undefined) return { ...blob, etag: '"0x8D0000000000000"' };
  const [spec] = values;
  return typeof spec === "object" && spec !== null && "container" in spec
    ? { ...spec, storageAccountName: "storage", lastModified: 0 }
    : undefined;
}

/** Another byte under the same length and the MD5 of the source, as a copy inside the service leaves it. */
function corrupted(port: object, answer: unknown): unknown {
  if (!(port instanceof MemoryBlobContainer) || typeof answer !== "object" || answer === null || !("name" in answer)) return answer;
  const blob = answer as BlobInfo;
  const content = port.content(blob.name);
  if (content === undefined || content.length === 0) return answer;
  const { name: _name, length: _length, etag: _etag, ...properties } = blob;
  return port.put(
    blob.name,
    content.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
    properties,
  );
}
