import "../health/anything.ts"; //! eslint(no-restricted-imports) Areas never
import "../replicator/anything.ts"; //! eslint(no-restricted-imports) Areas never
import "../encoding/anything.ts"; //! eslint(no-restricted-imports) Areas never
export const late = () => import("../sandbox/command.ts"); //! eslint(no-restricted-imports) Only main.ts's sandbox command
import "../compose.ts"; //! eslint(no-restricted-imports) Only commands join
import "@azure/arm-mediaservices"; //! eslint(no-restricted-imports) @azure/* and @aws-sdk/* only
import "node:timers/promises"; //! eslint(no-restricted-imports) Take a Clock
import { randomUUID } from "node:crypto"; //! eslint(no-restricted-imports) Take a Random
export const id = () => randomUUID();
