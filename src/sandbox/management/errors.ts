/** Errors of the management API. The texts in recorded answers are the service's own; where no recording exists the text says what is wrong. */
import type { JsonObject } from "../contracts.ts";

/** `service` errors come from the media service (indented, CRLF, with Content-Language), `arm` errors from the resource manager in front of it. */
export type ErrorOrigin = "service" | "arm";

export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  readonly origin: ErrorOrigin;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    origin: ErrorOrigin = "service",
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "ArmError";
    this.status = status;
    this.code = code;
    this.origin = origin;
    this.headers = headers;
  }

  body(): JsonObject {
    return { error: { code: this.code, message: this.message } };
  }
}

export const notFound = (): ArmError => new ArmError(404, "NotFound", "The requested resource was not found.");
export const badRequest = (message: string): ArmError => new ArmError(400, "BadRequest", message);
export const conflict = (message: string): ArmError => new ArmError(409, "Conflict", message);

/** The resource manager's own 404, for accounts and streaming endpoints. `path` is what follows `Microsoft.Media/`. */
export function resourceNotFound(path: string, resourceGroup: string): ArmError {
  const message = `The Resource 'Microsoft.Media/${path}' under resource group '${resourceGroup}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`;
  return new ArmError(404, "ResourceNotFound", message, "arm");
}

export function parentNotFound(account: string): ArmError {
  const message = `Can not perform requested operation on nested resource. Parent resource '${account}' not found.`;
  return new ArmError(404, "ParentResourceNotFound", message, "arm");
}
