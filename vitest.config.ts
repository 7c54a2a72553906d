import { defineConfig } from "vitest/config";

/** Longer than every labelled deadline of the harness, so that what is late is told by its name, on a machine that is several times slower, too. */
const PROCESSES_MS = 180_000;

/** `unit` needs nothing; `integration` starts Azurite and listens on loopback; `browser` needs Chromium. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/integration/**", "test/browser/**"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: "integration", include: ["test/integration/**/*.test.ts"], testTimeout: PROCESSES_MS, hookTimeout: PROCESSES_MS } },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: PROCESSES_MS,
          hookTimeout: PROCESSES_MS,
          fileParallelism: false,
        },
      },
    ],
  },
});
