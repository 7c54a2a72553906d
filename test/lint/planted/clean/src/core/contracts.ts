export type Service = "streaming" | "keys";
