/**
 * Refuses answers that are not the management API's. A login page or a captive portal answers 200 with HTML, which the SDK's pagers read as a
 * list with nothing in it: every video of the account would seem to be unpublished.
 */
import { RestError, type PipelinePolicy, type PipelineResponse } from "@azure/core-rest-pipeline";

/** Nearest to the wire, so that it sees the body as it came. What it throws has no status: the adapter takes it for no proper answer. */
export const onlyManagementAnswers: PipelinePolicy = {
  name: "paircastOnlyManagementAnswers",
  sendRequest: async (request, next) => {
    const response = await next(request);
    const wrong = wrongAnswer(response);
    if (wrong === null) return response;
    const advice = "is something between here and the management API, a login page for instance?";
    throw new RestError(`${request.method} answered ${response.status} ${wrong}: ${advice}`, { code: RestError.PARSE_ERROR });
  },
};

function wrongAnswer(response: PipelineResponse): string | null {
  const { status } = response;
  if (status === 404) return isHtml(response) ? "with a page of HTML" : null;
  return status === 200 || status === 201 ? wrongBody(response) : null;
}

function wrongBody(response: PipelineResponse): string | null {
  const { request, bodyAsText } = response;
  const text = bodyAsText ?? "";
  if (text.trim() === "" && mayBeEmpty(request)) return null;
  const body = jsonObject(text);
  if (body === null) return isHtml(response) ? "with a page of HTML where JSON belongs" : "without the JSON object that belongs there";
  const isList = request.method === "GET" && isCollection(request.url);
  return isList && !Array.isArray(body["value"]) ? "without the list that belongs there" : null;
}

/** A PUT may keep its answer to itself; a DELETE has none, and neither has the cancelling of a job. */
function mayBeEmpty({ method, url }: PipelineResponse["request"]): boolean {
  return method === "PUT" || method === "DELETE" || /\/cancelJob(\?|$)/.test(url);
}

function isHtml({ headers }: PipelineResponse): boolean {
  return headers.get("content-type")?.toLowerCase().includes("html") === true;
}

function jsonObject(text: string): Record<string, unknown> | null {
  try {
    const body: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Under an account, paths alternate between collections and names: `assets`, `assets/{name}`, `assets/{name}/assetFilters`. */
function isCollection(url: string): boolean {
  const below = /\/mediaservices\/[^/]+\/([^?]+)/i.exec(url)?.[1];
  return below !== undefined && below.split("/").filter((part) => part !== "").length % 2 === 1;
}
