export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

type JsonType = "string" | "integer" | "number" | "boolean" | "object" | "array" | "null";

/** A JSON Schema (draft 2020-12, as OpenAPI 3.1 has it), with the keywords that are used here. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly description?: string;
  readonly examples?: readonly Json[];
  readonly default?: Json;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: "date-time";
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Schemas;
  readonly required?: readonly string[];
  /** That there may be others, which `object` leaves open for later versions. */
  readonly additionalProperties?: true;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
}

export type Schemas = Readonly<Record<string, Schema>>;

/** With all of these members, and perhaps the optional ones. Others may come with a later version. */
export function object(members: Schemas, optional: Schemas = {}): Schema {
  return { type: "object", properties: { ...members, ...optional }, required: Object.keys(members) };
}

export function text(example: string, more: Schema = {}): Schema {
  return { type: "string", examples: [example], ...more };
}

export function integer(example: number, more: Schema = {}): Schema {
  return { type: "integer", minimum: 0, examples: [example], ...more };
}

export function list(items: Schema, more: Schema = {}): Schema {
  return { type: "array", items, ...more };
}

/** One of these texts. */
export function choice(values: readonly string[], more: Schema = {}): Schema {
  return { type: "string", enum: values, ...more };
}

/** An instant in UTC. */
export function time(example: string, description?: string): Schema {
  return { type: "string", format: "date-time", examples: [example], ...(description && { description }) };
}

/** The same, or null. */
export function nullable(schema: Schema): Schema {
  const { type = [], enum: values } = schema;
  return { ...schema, type: [...[type].flat(), "null"], ...(values && { enum: [...values, null] }) };
}

const SCHEMAS = "#/components/schemas/";

/** A schema of the document by its name. */
export function ref(name: string): Schema {
  return { $ref: SCHEMAS + name };
}

/**
 * A value that the schema describes, put together from the examples of its parts.
 * @throws RangeError where a part has none
 */
export function exampleOf(schema: Schema, named: Schemas): Json {
  const { $ref, anyOf, properties, items } = schema;
  const [example] = [schema.const, ...(schema.examples ?? []), schema.default, ...(schema.enum ?? [])].filter(
    (value) => value !== undefined,
  );
  if (example !== undefined) return example;
  const other = $ref === undefined ? anyOf?.[0] : named[$ref.slice(SCHEMAS.length)];
  if (other !== undefined) return exampleOf(other, named);
  if (items !== undefined) return [exampleOf(items, named)];
  if (properties === undefined) throw new RangeError(`No example: ${JSON.stringify(schema)}`);
  return Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [name, exampleOf(member, named)]),
  );
}
