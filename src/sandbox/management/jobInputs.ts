/** Pure: what a job reads: checked when it is submitted, shown without secrets, resolved to one clip when it is encoded. */
import type { Json, JsonObject } from "../contracts.ts";
import { badRequest } from "./errors.ts";
import { isObject, listField, objectField, objectsField, optional, requiredText, textField } from "./fields.ts";

const TYPE = "@odata.type";
const PREFIX = "#Microsoft.Media.";
/** Of a file name, a URL and a base URI (specification). */
const MAX_TEXT = 4000;
const DURATION = /^PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/;

/** The one input that is encoded. */
export interface Clip {
  readonly source: { readonly kind: "asset"; readonly assetName: string } | { readonly kind: "http"; readonly baseUri: string };
  /** Names in the asset or below the base URI; URLs where that is empty. Only the first is encoded. */
  readonly files: readonly string[];
  /** Seconds; null: from the start, to the end. */
  readonly startS: number | null;
  readonly endS: number | null;
}

/** The input as it is kept. Throws 400 for what is wrong, and for what the sandbox cannot encode: better now than something else than asked for. */
export function storedInput(input: JsonObject, assertAsset: (name: string) => void): JsonObject {
  const type = requiredText(input, TYPE);
  if (type !== `${PREFIX}JobInputs`) return storedClip(input, type, assertAsset);
  const inputs = objectsField(input, "inputs");
  if (inputs.length !== 1) throw badRequest(`The sandbox encodes jobs with exactly one input; 'inputs' has ${inputs.length}.`);
  return { ...input, inputs: inputs.map((item) => storedClip(item, requiredText(item, TYPE), assertAsset)) };
}

function storedClip(input: JsonObject, type: string, assertAsset: (name: string) => void): JsonObject {
  if (type === `${PREFIX}JobInputSequence`)
    throw badRequest("The sandbox does not encode sequences ('JobInputSequence'): submit one clip.");
  if (type === `${PREFIX}JobInputAsset`) assertAsset(requiredText(input, "assetName"));
  else if (type === `${PREFIX}JobInputHttp`) checkAddresses(input);
  else
    throw badRequest(
      `The sandbox has no input of the type '${type}': use JobInputAsset or JobInputHttp, which take 'start' and 'end' of a clip.`,
    );
  if (listField(input, "inputDefinitions").length > 0)
    throw badRequest("The sandbox does not select tracks: leave 'inputDefinitions' empty.");
  for (const file of filesOf(input))
    if (file.length > MAX_TEXT) throw badRequest(`A name in 'files' has more than ${MAX_TEXT} characters.`);
  const [start, end] = [secondsField(input, "start"), secondsField(input, "end")];
  if (start !== null && end !== null && end <= start) throw badRequest("The 'end' of the clip must be after its 'start'.");
  return { ...input, files: filesOf(input), inputDefinitions: [] };
}

function checkAddresses(input: JsonObject): void {
  const baseUri = textField(input, "baseUri") ?? "";
  const files = filesOf(input);
  if (files.length === 0) throw badRequest("A value for 'files' is required.");
  if (baseUri.length > MAX_TEXT) throw badRequest(`The 'baseUri' has more than ${MAX_TEXT} characters.`);
  for (const file of files) {
    const protocol = URL.parse(`${baseUri}${file}`)?.protocol;
    if (protocol !== "https:" && protocol !== "http:")
      throw badRequest("The input must be an absolute URL that begins with https:// (or, in the sandbox, http://).");
  }
}

function filesOf(input: JsonObject): string[] {
  return listField(input, "files").map((file) => {
    if (typeof file !== "string" || file === "") throw badRequest("Every item of 'files' must be a string that is not empty.");
    return file;
  });
}

function secondsField(input: JsonObject, name: string): number | null {
  const time = objectField(input, name);
  if (Object.keys(time).length === 0) return null;
  if (time[TYPE] !== `${PREFIX}AbsoluteClipTime`) throw badRequest(`The sandbox knows '${name}' as 'AbsoluteClipTime' only.`);
  const text = requiredText(time, "time");
  const match = DURATION.exec(text);
  if (match === null) throw badRequest(`The value '${text}' of '${name}' is not a duration such as PT30S.`);
  const [, hours = "0", minutes = "0", seconds = "0"] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** As answers have it: "The query strings will not be returned in service responses to prevent sensitive data exposure." */
export function shownInput(input: JsonObject): JsonObject {
  const inputs = input["inputs"];
  if (Array.isArray(inputs)) return { ...input, inputs: inputs.map((item: Json) => (isObject(item) ? shownInput(item) : item)) };
  const baseUri = textField(input, "baseUri");
  return { ...input, files: filesOf(input).map(withoutQuery), ...optional("baseUri", baseUri === null ? null : withoutQuery(baseUri)) };
}

function withoutQuery(text: string): string {
  return text.split("?")[0] ?? "";
}

/** Of an input that `storedInput` has accepted. */
export function clipOf(input: JsonObject): Clip {
  const [inner] = objectsField(input, "inputs");
  if (inner !== undefined) return clipOf(inner);
  const assetName = textField(input, "assetName");
  return {
    source: assetName === null ? { kind: "http", baseUri: textField(input, "baseUri") ?? "" } : { kind: "asset", assetName },
    files: filesOf(input),
    startS: secondsField(input, "start"),
    endS: secondsField(input, "end"),
  };
}
