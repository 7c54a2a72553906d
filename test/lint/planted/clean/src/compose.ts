import "./gateway/answer.ts";
import "./health/probe.ts";
import "./replicator/adapters/blobs.ts";
