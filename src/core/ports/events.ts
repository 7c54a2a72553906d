/** One message of a queue of events. */
export interface EventMessage {
  readonly id: string;
  /** What the queue knows this very take by. Opaque. */
  readonly receipt: string;
  /** As it lies in the queue: the JSON of an event, or the Base64 of it. */
  readonly body: string;
  /** How many times it has been given out, this time included. */
  readonly takes: number;
}

/**
 * A queue into which somebody else puts events, for instance a Storage queue that Event Grid delivers to.
 * - `receive` gives some messages, none where there are none, and hides them for a minute: what is not `done` by then is given out again.
 * - `done` removes a message; one that is gone already, or in other hands by now, is none of the caller's business any more.
 * - Errors: `state_unavailable` (retry), `state_denied` (never), `state_rejected` (never).
 */
export interface EventQueue extends AsyncDisposable {
  receive(): Promise<readonly EventMessage[]>;
  done(message: EventMessage): Promise<void>;
}
