/**
 * `$filter` of the lists: comparisons of a property with a constant, joined by `and`, `or` and parentheses (OData 4.0, part 2, 5.1.1).
 * What the service did not offer is refused with 400: a filter that is ignored answers a question nobody asked.
 */
import type { Json, JsonObject } from "../contracts.ts";
import { badRequest } from "./errors.ts";
import { isObject } from "./fields.ts";
import { sortableTime } from "./times.ts";

export type Operator = "eq" | "ne" | "gt" | "ge" | "lt" | "le";

/** A property that a list can be filtered or ordered by. */
export interface ListedField {
  /** As in bodies: `name`, `properties/created`. */
  readonly path: string;
  readonly kind: "text" | "time" | "state";
  readonly operators: readonly Operator[];
  readonly orderable: boolean;
}

export type Predicate = (body: JsonObject) => boolean;

const TOKEN =
  /\s*(?:(?<paren>[()])|(?<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)|(?:Microsoft\.Media\.\w+)?'(?<text>(?:[^']|'')*)'|(?<word>[A-Za-z][\w/]*))/y;

interface Token {
  readonly kind: "paren" | "time" | "text" | "word";
  readonly value: string;
}

/** Compiles a filter. 400 for what cannot be parsed and for properties and operators that the list does not offer. */
export function compileFilter(filter: string, fields: readonly ListedField[]): Predicate {
  const parser = new FilterParser(tokens(filter), fields);
  const predicate = parser.disjunction();
  if (!parser.atEnd()) throw unsupported("there is more after the end of the expression");
  return predicate;
}

/** The value of a field in a form that sorts; null where the body has none. Times sort as times, names without regard to case. */
export function sortableValue(body: JsonObject, field: ListedField): string | null {
  let value: Json | undefined = body;
  for (const part of field.path.split("/")) value = isObject(value) ? value[part] : undefined;
  if (typeof value !== "string") return null;
  return comparable(value, field);
}

function comparable(value: string, field: ListedField): string | null {
  if (field.kind === "time") return sortableTime(value);
  return field.kind === "state" || field.path === "name" ? value.toLowerCase() : value;
}

function tokens(filter: string): Token[] {
  const found: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (filter.slice(pattern.lastIndex).trim() !== "") {
    const at = pattern.lastIndex;
    const groups = pattern.exec(filter)?.groups;
    if (groups === undefined) throw unsupported(`cannot read '${filter.slice(at)}'`);
    const { paren, time, text, word } = groups;
    if (paren !== undefined) found.push({ kind: "paren", value: paren });
    else if (time !== undefined) found.push({ kind: "time", value: time });
    else if (text !== undefined) found.push({ kind: "text", value: text.replaceAll("''", "'") });
    else if (word !== undefined) found.push({ kind: "word", value: word });
  }
  return found;
}

class FilterParser {
  readonly #tokens: readonly Token[];
  readonly #fields: readonly ListedField[];
  #next = 0;

  constructor(found: readonly Token[], fields: readonly ListedField[]) {
    this.#tokens = found;
    this.#fields = fields;
  }

  atEnd(): boolean {
    return this.#next === this.#tokens.length;
  }

  disjunction(): Predicate {
    let left = this.#conjunction();
    while (this.#take("word", "or")) {
      const [before, after] = [left, this.#conjunction()];
      left = (body) => before(body) || after(body);
    }
    return left;
  }

  #conjunction(): Predicate {
    let left = this.#term();
    while (this.#take("word", "and")) {
      const [before, after] = [left, this.#term()];
      left = (body) => before(body) && after(body);
    }
    return left;
  }

  #term(): Predicate {
    if (!this.#take("paren", "(")) return this.#comparison();
    const inner = this.disjunction();
    if (!this.#take("paren", ")")) throw unsupported("a closing parenthesis is missing");
    return inner;
  }

  #comparison(): Predicate {
    const [path, operator, constant] = [this.#shift(), this.#shift(), this.#shift()];
    const field = this.#fields.find((known) => known.path.toLowerCase() === path.value.toLowerCase());
    if (path.kind !== "word" || field === undefined) throw unsupported(`this list cannot be filtered by '${path.value}'`);
    const name = field.operators.find((known) => known === operator.value);
    if (name === undefined) throw unsupported(`'${field.path}' cannot be compared with '${operator.value}'`);
    const wanted = fits(constant, field) ? comparable(constant.value, field) : null;
    if (wanted === null) throw unsupported(`'${constant.value}' is not a value of '${field.path}'`);
    return (body) => compare(sortableValue(body, field), name, wanted);
  }

  #shift(): Token {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw unsupported("the expression ends too early");
    return token;
  }

  #take(kind: Token["kind"], value: string): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== kind || token.value.toLowerCase() !== value) return false;
    this.#next += 1;
    return true;
  }
}

function fits(constant: Token, field: ListedField): boolean {
  return constant.kind === (field.kind === "time" ? "time" : "text");
}

/** A property that is absent equals nothing and is neither greater nor less than anything (OData's null rules). */
function compare(value: string | null, operator: Operator, wanted: string): boolean {
  if (value === null) return operator === "ne";
  switch (operator) {
    case "eq":
      return value === wanted;
    case "ne":
      return value !== wanted;
    case "gt":
      return value > wanted;
    case "ge":
      return value >= wanted;
    case "lt":
      return value < wanted;
    case "le":
      return value <= wanted;
  }
}

function unsupported(why: string) {
  return badRequest(`The query parameter '$filter' is not supported: ${why}.`);
}
