/** The arguments of `encode`. */
import { Option, type Command } from "commander";
import { ENCODING_STATES, PRIORITIES, type Priority } from "../core/encoding.ts";
import { gatewayFlags, wholeNumber, withGateway, type GatewayOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";

interface SubmitArguments extends GatewayOptions {
  readonly transform: string;
  readonly list?: string;
  readonly id?: string;
  readonly region?: string;
  readonly asset?: string;
  readonly priority: Priority;
  readonly wait?: boolean;
}

/** `exit` is given the exit code. */
export function addEncodeCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const encode = program.command("encode").description("encoding jobs at a running gateway: submit, follow, cancel, try again");
  addSubmit(encode, terminal, exit);
  withGateway(encode.command("list").description("jobs, newest first"))
    .addOption(new Option("--state <state>", "only those").choices(ENCODING_STATES))
    .option("--limit <n>", "at most this many", wholeNumber(1_000), 100)
    .action(async (options: GatewayOptions & { state?: string; limit: number }) => {
      const { encodeList } = await import("./encodeJobs.ts");
      await encodeList(terminal, { ...gatewayFlags(options), state: options.state ?? null, limit: options.limit });
    });
  withGateway(encode.command("status").description("one job with its attempts; without an id: accounts, and how many jobs there are"))
    .argument("[id]", "the job's id")
    .action(async (id: string | undefined, options: GatewayOptions) => {
      const { encodeStatus } = await import("./encodeJobs.ts");
      await encodeStatus(terminal, id ?? null, gatewayFlags(options));
    });
  for (const [name, description] of [
    ["cancel", "end a job; one that is over stays as it is"],
    ["retry", "try a job that failed or was canceled again, in any account"],
  ] as const)
    withGateway(encode.command(name).description(description))
      .argument("<id>", "the job's id")
      .action(async (id: string, options: GatewayOptions) => {
        const { encodeChange } = await import("./encodeJobs.ts");
        await encodeChange(terminal, id, name, gatewayFlags(options));
      });
  withGateway(encode.command("readmit").description("use an account again at once"))
    .argument("<region>", "name of a region whose account is out")
    .action(async (region: string, options: GatewayOptions) => {
      const { encodeReadmit } = await import("./encodeJobs.ts");
      await encodeReadmit(terminal, region, gatewayFlags(options));
    });
}

function addSubmit(encode: Command, terminal: Terminal, exit: (code: number) => void): void {
  withGateway(encode.command("submit").description("hand in a job. Exit code with --wait: 1 where it did not finish"))
    .argument("[file-or-url]", "an https URL that every region can read, or a file to upload; with --asset a file in that asset")
    .requiredOption("--transform <name>", "one of the configuration's transforms")
    .option("--list <file>", "many: one URL or file a line, and after it the caller's own id if there is one")
    .option("--id <id>", "the caller's own id: a second job of the same is the first one")
    .option("--region <name>", "where --asset is")
    .option("--asset <name>", "an asset of the region")
    .addOption(new Option("--priority <priority>", "which go first").choices(PRIORITIES).default("normal"))
    .option("--wait", "until it is over")
    .action(async (input: string | undefined, options: SubmitArguments) => {
      const { encodeSubmit } = await import("./encodeSubmit.ts");
      const { transform, priority, list = null, id = null, region = null, asset = null, wait = false } = options;
      const rest = { transform, priority, list, id, region, asset, wait };
      exit(await encodeSubmit(terminal, input ?? null, { ...gatewayFlags(options), ...rest }));
    });
}
