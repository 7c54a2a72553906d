/**
 * A stand-in for S3 on a loopback port: signatures checked, paths of both styles' path form, conditional writes, multipart uploads, copies,
 * ranges, paging, XML errors. It is written from the API's documentation for these tests and is no S3: what it does not know it refuses (501).
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { S3Answer, S3Behaviour, S3Request } from "./api.ts";
import { bucketAnswer, serviceAnswer } from "./buckets.ts";
import { multipartAnswer } from "./multipart.ts";
import { objectAnswer } from "./objects.ts";
import { signer, type AccessKey } from "./signature.ts";
import { Bucket } from "./store.ts";
import { S3Error, xmlDocument } from "./xml.ts";

export class S3Server implements AsyncDisposable {
  readonly url: string;
  readonly buckets = new Map<string, Bucket>();
  readonly behaviour: S3Behaviour;
  /** `PUT /bucket/key?partNumber` of every request that was let in. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #keys: readonly AccessKey[];
  #lastRequest = 0;

  private constructor(server: Server, keys: readonly AccessKey[], behaviour: S3Behaviour) {
    this.#server = server;
    this.#keys = keys;
    this.behaviour = behaviour;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => {
      void this.#serve(request, response);
    });
  }

  static async start(keys: readonly AccessKey[], behaviour: S3Behaviour = {}): Promise<S3Server> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new S3Server(server, keys, behaviour);
  }

  bucket(name: string): Bucket {
    const found = this.buckets.get(name);
    if (found === undefined) throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist");
    return found;
  }

  createBucket(name: string, { readable = false } = {}): Bucket {
    const bucket = new Bucket();
    bucket.readable = readable;
    this.buckets.set(name, bucket);
    return bucket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#lastRequest += 1;
    const own = { "x-amz-request-id": String(this.#lastRequest), server: "paircast-s3-stand-in" };
    const answer = await this.#answer(incoming).catch(errorAnswer);
    if (answer === "drop") return void incoming.socket.destroy();
    const body = Buffer.from(answer.body ?? "");
    response.writeHead(answer.status, { "content-length": body.length, ...own, ...answer.headers });
    response.end(incoming.method === "HEAD" ? undefined : body);
  }

  async #answer(incoming: IncomingMessage): Promise<S3Answer | "drop"> {
    const request = parsed(incoming, await buffer(incoming));
    const fault = this.behaviour.fault?.(request) ?? null;
    if (fault === "drop") return fault;
    if (fault !== null) throw fault;
    const { url: path = "/" } = incoming;
    this.#admit(request, path);
    this.requests.push(`${request.method} ${path}${request.headers["x-amz-copy-source"] === undefined ? "" : " copy"}`);
    return this.#dispatch(request);
  }

  /** Throws for who may not do this. */
  #admit({ method, query, headers, body, bucket, key }: S3Request, path: string): void {
    const who = signer({ method, path, query, headers, body }, this.#keys);
    const reads = method === "GET" || method === "HEAD";
    const open = reads && key !== null && this.buckets.get(bucket)?.readable === true;
    const may = who === null ? open : reads || who.readOnly !== true;
    if (!may) throw new S3Error(403, "AccessDenied", "Access Denied");
  }

  #dispatch(request: S3Request): S3Answer {
    const { query, bucket, key } = request;
    if (bucket === "") return serviceAnswer(this, request);
    if (key === null) return bucketAnswer(this, request);
    const ofUpload = query.has("uploads") || query.has("uploadId");
    return ofUpload ? multipartAnswer(this, request, this.bucket(bucket), key) : objectAnswer(this, request, key);
  }
}

function errorAnswer(error: unknown): S3Answer {
  const { status, code, message } = error instanceof S3Error ? error : new S3Error(500, "InternalError", String(error));
  return { status, headers: { "content-type": "application/xml" }, body: xmlDocument("Error", { Code: code, Message: message }) };
}

function parsed({ method = "GET", url = "/", headers }: IncomingMessage, body: Buffer): S3Request {
  const [path = "", search = ""] = url.split("?", 2);
  const cut = path.indexOf("/", 1);
  const bucket = decodeURIComponent(cut < 0 ? path.slice(1) : path.slice(1, cut));
  const key = cut < 0 || cut === path.length - 1 ? null : decodeURIComponent(path.slice(cut + 1));
  // A plus in a query is a plus to S3's signatures.
  const query = new URLSearchParams(search.replaceAll("+", "%2B"));
  return { method, bucket, key, query, headers, body };
}
