/**
 * What Event Grid delivers, in either of its schemas, as events of one form. Nothing is promised of order, and the same may come again. Pure.
 * https://learn.microsoft.com/azure/event-grid/event-schema, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */

export type EventFields = Readonly<Record<string, unknown>>;

/** In the words of Event Grid's own schema, also for what came as a CloudEvent. */
export interface GridEvent {
  readonly id: string;
  readonly eventType: string;
  /** Resource id of what it is about: a media account, a storage account. */
  readonly topic: string;
  readonly subject: string;
  /** As it came: times of media accounts have no zone letter, and are UTC. */
  readonly eventTime: string;
  readonly data: EventFields;
}

/** `validation`: a subscription is being made, and its code must be answered. `events`: those that could be read, and how many could not. */
export type Delivery =
  | { readonly kind: "validation"; readonly code: string }
  | { readonly kind: "events"; readonly events: readonly GridEvent[]; readonly malformed: number };

const VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent";

/** `body`: parsed JSON, one event or an array of them. Null where it is neither. */
export function deliveryOf(body: unknown): Delivery | null {
  const parts = Array.isArray(body) ? body : isFields(body) ? [body] : null;
  if (parts === null) return null;
  const read = parts.map(eventOf);
  const events = read.filter((event) => event !== null);
  const code = events.find(({ eventType }) => eventType === VALIDATION)?.data["validationCode"];
  if (typeof code === "string" && code !== "") return { kind: "validation", code };
  return { kind: "events", events: events.filter(({ eventType }) => eventType !== VALIDATION), malformed: read.length - events.length };
}

/** The JSON of one event, or the Base64 of it, as a Storage queue has it. Null where it is neither. */
export function deliveryInMessage(text: string): Delivery | null {
  const plain = /^\s*[[{]/.test(text) ? text : Buffer.from(text, "base64").toString("utf8");
  try {
    return deliveryOf(JSON.parse(plain));
  } catch {
    return null;
  }
}

/** What two deliveries of the same event have in common. The id alone is not enough: all progress of jobs has the id 0. */
export function eventKey({ id, eventType, topic, subject, eventTime }: GridEvent): string {
  return JSON.stringify([id, eventType, topic, subject, eventTime]);
}

export function isFields(value: unknown): value is EventFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function eventOf(value: unknown): GridEvent | null {
  if (!isFields(value)) return null;
  const isCloudEvent = typeof value["specversion"] === "string";
  const [eventType, topic, eventTime] = isCloudEvent
    ? [value["type"], value["source"], value["time"]]
    : [value["eventType"], value["topic"], value["eventTime"]];
  const { id, subject = "", data = {} } = value;
  if (typeof id !== "string" || typeof eventType !== "string" || typeof subject !== "string" || !isFields(data)) return null;
  return { id, eventType, topic: textOr(topic, ""), subject, eventTime: textOr(eventTime, ""), data };
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
