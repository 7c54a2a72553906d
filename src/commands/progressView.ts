/** What shows progress, whichever way. */
import type { DestinationStream } from "pino";
import type { ProgressSink } from "../replicator/progress.ts";

export interface ProgressView extends Disposable {
  readonly sink: ProgressSink;
  /** Where the log goes meanwhile; left out: where it always goes. */
  readonly log?: DestinationStream;
}
