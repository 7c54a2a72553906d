/** What the OpenAPI document is told of one operation of the admin API. */
import type { adminSchemas } from "./adminSchemas.ts";

type SchemaName = keyof typeof adminSchemas;

export interface Operation {
  readonly path: string;
  /** Default get. */
  readonly method?: "get" | "post" | "put" | "delete";
  /** Schema of the JSON body. */
  readonly body?: SchemaName;
  /** Default 200. */
  readonly status?: "201" | "202";
  readonly summary: string;
  /** Schema of the JSON answer, or the media type of another one. */
  readonly answer: SchemaName | `${string}/${string}`;
  readonly query?: Readonly<Record<string, { readonly required: boolean; readonly description: string }>>;
  readonly errors?: Readonly<Record<string, string>>;
  readonly open?: true;
}
