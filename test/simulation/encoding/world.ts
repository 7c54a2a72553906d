/** Clock, accounts and deliveries of a scenario: the same for whoever schedules in it. */
import type { Sighting } from "../../../src/core/encoding.ts";
import { seededRandom } from "../../fakes/clock.ts";
import { Deliveries } from "./events.ts";
import { ACCOUNTS, encodingTime, isBadInput, START, type AccountName, type Scenario } from "./scenario.ts";
import { SimulatedAccount } from "./simulatedAccount.ts";
import { VirtualClock } from "./virtualClock.ts";

export class World {
  readonly clock = new VirtualClock(START);
  readonly accounts: readonly SimulatedAccount[];
  readonly deliveries: Deliveries;

  constructor(scenario: Scenario, deliver: (sighting: Sighting) => Promise<void>) {
    const random = seededRandom(scenario.seed + 2);
    const { clock } = this;
    const { outages, jams, eventsLost: lost, eventsDoubled: doubled } = scenario;
    this.deliveries = new Deliveries({ clock, random, lost, doubled, outages, deliver });
    this.accounts = ACCOUNTS.map(
      (name) =>
        new SimulatedAccount({
          name,
          clock,
          random,
          outages: outages[name],
          jams: jams[name],
          flakiness: 0.01,
          durationOf: encodingTime,
          isBad: isBadInput,
          emit: this.deliveries.emit,
        }),
    );
  }

  account(name: AccountName): SimulatedAccount {
    const account = this.accounts.find((each) => each.name === name);
    if (account === undefined) throw new Error(`no account ${name}`);
    return account;
  }
}
