/** Makes the API of transforms and jobs fail as the control port wants it. */
import type { Call, Reply, Route } from "./call.ts";
import { ArmError } from "./errors.ts";
import type { ApiFailure, JobBehaviour } from "./jobBehaviour.ts";

const CODES: Readonly<Record<number, string>> = {
  401: "AuthenticationFailed",
  403: "AuthorizationFailed",
  429: "TooManyRequests",
  500: "InternalServerError",
  502: "BadGateway",
  503: "ServiceUnavailable",
  504: "GatewayTimeout",
};

export function withJobFaults(routes: readonly Route[], behaviour: JobBehaviour): Route[] {
  return routes.map((route) => ({
    ...route,
    handle: async (call: Call): Promise<Reply> => {
      const failure = behaviour.takeApiFailure();
      if (failure === null) return route.handle(call);
      if (failure.afterEffect) await route.handle(call);
      throw refusal(failure);
    },
  }));
}

function refusal({ status, retryAfterS }: ApiFailure): ArmError {
  const headers: Record<string, string> = retryAfterS === null ? {} : { "retry-after": String(retryAfterS) };
  return new ArmError(status, CODES[status] ?? "SandboxFault", "The sandbox was told to refuse calls about jobs.", "arm", headers);
}
