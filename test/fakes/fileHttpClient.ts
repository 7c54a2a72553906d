/** An `HttpClient` over files in memory, with the questions that it was asked. */
import { PaircastError } from "../../src/core/errors.ts";
import type { HttpAnswer, HttpClient, HttpQuestion } from "../../src/core/ports/http.ts";
import { serveFile, type Files } from "./packagedVideo.ts";

export type Answer = (question: HttpQuestion) => HttpAnswer | Promise<HttpAnswer> | undefined;

export class FileHttpClient implements HttpClient {
  readonly asked: HttpQuestion[] = [];
  readonly #origin: string;
  readonly #files: Files;
  /** Answers in the place of the files where it returns something. */
  override: Answer = () => undefined;

  constructor(origin: string, files: Files) {
    this.#origin = origin;
    this.#files = files;
  }

  /** Paths asked for, in order. */
  get paths(): string[] {
    return this.asked.map(({ url }) => url.slice(this.#origin.length));
  }

  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    question.signal?.throwIfAborted();
    const { origin, pathname } = new URL(question.url);
    if (origin !== this.#origin) throw new PaircastError("not_configured", `refused to ask ${origin}`);
    this.asked.push(question);
    return (await this.override(question)) ?? serveFile(this.#files, pathname, question.headers?.["range"]);
  }
}
