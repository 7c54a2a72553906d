import "../../gateway/app.ts"; //! eslint(no-restricted-imports) Areas never
import "../../health/monitor.ts"; //! eslint(no-restricted-imports) Areas never
import "../../replicator/run.ts"; //! eslint(no-restricted-imports) Areas never
import "../../sandbox/command.ts"; //! eslint(no-restricted-imports) Only main.ts's sandbox command
import "hono"; //! eslint(no-restricted-imports) hono only
export const stop = () => process.exit(1); //! eslint(no-restricted-properties) Only main.ts ends the process
