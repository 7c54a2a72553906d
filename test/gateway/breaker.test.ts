import { describe, expect, test } from "vitest";
import { Breaker } from "../../src/gateway/breaker.ts";

function struck(times: number, at = 0): Breaker {
  const breaker = new Breaker();
  for (let strike = 0; strike < times; strike += 1) breaker.failed("west", at);
  return breaker;
}

describe("a region", () => {
  test("is asked until it has failed three times in a row", () => {
    expect(struck(2).admits("west", 0)).toBe(true);
    expect(struck(3).admits("west", 0)).toBe(false);
    expect(struck(3).admits("north", 0)).toBe(true);
  });

  test("is asked again after any answer", () => {
    const breaker = struck(2);
    breaker.answered("west", 1);
    breaker.failed("west", 0);
    expect(breaker.admits("west", 0)).toBe(true);
    const paused = struck(5);
    paused.answered("west", 1);
    expect(paused.admits("west", 0)).toBe(true);
  });

  test("is tried by one request when its pause is over, and by the next after another pause", () => {
    const breaker = struck(3, 500);
    expect(breaker.admits("west", 1_499)).toBe(false);
    expect([breaker.admits("west", 1_500), breaker.admits("west", 1_500), breaker.admits("west", 2_499)]).toEqual([true, false, false]);
    expect(breaker.admits("west", 2_500)).toBe(true);
  });
});

test("the usual time of a region is that of 95 in 100 of its last 64 answers", () => {
  const breaker = new Breaker();
  expect(breaker.usualMs("west")).toBe(0);
  for (let answer = 1; answer < 64; answer += 1) breaker.answered("west", answer);
  expect(breaker.usualMs("west")).toBe(0);
  breaker.answered("west", 64);
  expect(breaker.usualMs("west")).toBe(61);
  for (let answer = 0; answer < 64; answer += 1) breaker.answered("west", 5);
  expect(breaker.usualMs("west")).toBe(5);
});
