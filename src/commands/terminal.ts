/** What a command needs of the terminal it runs in. */
export interface Terminal {
  readonly version: string;
  /** Aborts when the person or the system asks the program to stop. */
  readonly stop: AbortSignal;
  /** Standard output: results. */
  print(text: string): void;
  /** Standard error: progress and notes. */
  note(text: string): void;
  /** Standard error as something that people look at; left out: it is a file, a pipe, or nothing. */
  readonly screen?: NodeJS.WriteStream;
}
