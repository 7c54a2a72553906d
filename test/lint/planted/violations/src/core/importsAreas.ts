import "../gateway/app.ts"; //! eslint(no-restricted-imports) Areas never
import type { Monitor } from "../health/monitor.ts"; //! eslint(no-restricted-imports) Areas never
export { run } from "../replicator/run.ts"; //! eslint(no-restricted-imports) Areas never
export * from "../encoding/scheduler.ts"; //! eslint(no-restricted-imports) Areas never
import "../compose.ts"; //! eslint(no-restricted-imports) Only commands join
import "../main.ts"; //! eslint(no-restricted-imports) Only commands join
import "../sandbox/command.ts"; //! eslint(no-restricted-imports) Only main.ts's sandbox command
import "@azure/core-auth"; //! eslint(no-restricted-imports) @azure/* and @aws-sdk/* only
import "hono/factory"; //! eslint(no-restricted-imports) hono only
export type Watch = Monitor;
