/** Makes the SDK's client, for Azure's own management API and for compatible ones. */
import { AzureMediaServices } from "@azure/arm-mediaservices";
import type { TokenCredential } from "@azure/core-auth";
import { bearerTokenAuthenticationPolicyName, type PipelinePolicy, type PipelineRequest } from "@azure/core-rest-pipeline";
import { PaircastError } from "../../core/errors.ts";
import { onlyManagementAnswers } from "./azureMediaAnswers.ts";
import { HeaderSecret } from "./credentials.ts";

export interface MediaClientOptions {
  /** Base URL of the management API. Plain http only on a loopback address. */
  readonly endpoint: string;
  readonly subscriptionId: string;
  readonly credential: TokenCredential;
  /** More tries after the first. Default 3; a Retry-After of the service is honoured. */
  readonly maxRetries?: number;
}

/** Throws `insecure_endpoint` for plain http on any other than a loopback address: the token would be readable on the way. */
export function createMediaClient(options: MediaClientOptions): AzureMediaServices {
  const endpoint = options.endpoint.replace(/\/+$/, "");
  const insecure = isPlainHttp(endpoint);
  const client = new AzureMediaServices(options.credential, options.subscriptionId, {
    endpoint,
    allowInsecureConnection: insecure,
    retryOptions: { maxRetries: options.maxRetries ?? 3, retryDelayInMs: 400, maxRetryDelayInMs: 5_000 },
  });
  client.pipeline.addPolicy(onlyManagementAnswers, { phase: "Sign" });
  const { credential } = options;
  if (credential instanceof HeaderSecret) {
    replaceToken(client, (request) => {
      request.headers.set(credential.header, credential.secret);
      return Promise.resolve();
    });
  } else if (insecure) allowTokenOverHttp(client, credential, `${endpoint}/.default`);
  return client;
}

function isPlainHttp(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol !== "http:") return false;
  if (isLoopback(hostname)) return true;
  throw new PaircastError("insecure_endpoint", `management endpoint ${endpoint}: use https; plain http is for loopback addresses only`);
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** The SDK's policy refuses http even where insecure connections are allowed. */
function allowTokenOverHttp(client: AzureMediaServices, credential: TokenCredential, scope: string): void {
  replaceToken(client, async (request) => {
    const token = await credential.getToken(scope, request.abortSignal === undefined ? {} : { abortSignal: request.abortSignal });
    if (token !== null) request.headers.set("authorization", `Bearer ${token.token}`);
  });
}

/** In the place of the SDK's policy, which sends the token. */
function replaceToken(client: AzureMediaServices, authorise: (request: PipelineRequest) => Promise<void>): void {
  const policy: PipelinePolicy = {
    name: bearerTokenAuthenticationPolicyName,
    sendRequest: async (request, next) => {
      await authorise(request);
      return next(request);
    },
  };
  client.pipeline.removePolicy({ name: bearerTokenAuthenticationPolicyName });
  client.pipeline.addPolicy(policy);
}
