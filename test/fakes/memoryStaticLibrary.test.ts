import { PaircastError } from "../../src/core/errors.ts";
import type { StaticLibrary } from "../../src/core/ports/storage.ts";
import { describeStaticLibrary } from "../conformance/staticLibrary.ts";
import { MemoryStaticLibrary } from "./memoryStaticLibrary.ts";

describeStaticLibrary("the library in memory", () => {
  const everything = new MemoryStaticLibrary();
  const unreachable = new MemoryStaticLibrary();
  unreachable.calls.failAll("*", new PaircastError("storage_unavailable", "nobody answers", { retry: "retry" }));
  return Promise.resolve({
    open: (containers: string) => withPattern(everything, containers),
    unreachable,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

/** The same containers under another pattern. */
function withPattern(library: MemoryStaticLibrary, pattern: string): StaticLibrary {
  return {
    region: library.region,
    videos: async function* (signal) {
      const seen = new MemoryStaticLibrary(library.region, pattern);
      for await (const name of library.videos(signal)) await seen.createContainer(name, "none");
      yield* seen.videos(signal);
    },
    container: (name) => library.container(name),
    publicAccess: (name, signal) => library.publicAccess(name, signal),
    createContainer: (name, access, signal) => library.createContainer(name, access, signal),
    manifests: (name, signal) => library.manifests(name, signal),
  };
}
