import "../gateway/app.ts"; //! eslint(no-restricted-imports) Areas never
import "../health/monitor.ts"; //! eslint(no-restricted-imports) Areas never
import "../replicator/run.ts"; //! eslint(no-restricted-imports) Areas never
import "../encoding/scheduler.ts"; //! eslint(no-restricted-imports) Areas never
import "../compose.ts"; //! eslint(no-restricted-imports) Only commands join
