console.log("paircast");
await import("./sandbox/command.ts");
process.exit(0);
