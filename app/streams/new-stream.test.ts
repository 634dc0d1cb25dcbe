import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { type Draft, EMPTY_DRAFT, mistakesIn, toNewStream } from "./new-stream.ts";

const SENDER = createWalletKeypair().account;
const RECIPIENT = createWalletKeypair().account;

const GOOD: Draft = {
  recipient: ` ${RECIPIENT} `,
  amount: "12.5",
  length: "90",
  unit: "minutes",
  title: " Rent ",
  start: false,
};

test("a draft without mistakes becomes the request, to the stroop and the second", () => {
  expect(mistakesIn(GOOD, SENDER)).toEqual({});
  expect(toNewStream(GOOD)).toEqual({
    recipient: RECIPIENT,
    deposit: "12.5000000",
    duration_seconds: 5_400,
    title: "Rent",
    start: false,
  });
  expect(toNewStream({ ...GOOD, title: " " })).not.toHaveProperty("title");
});

test("an address of one among several behind an account will do as well", () => {
  // The example of SEP-23.
  const recipient = "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK";
  expect(mistakesIn({ ...GOOD, recipient }, SENDER)).toEqual({});
  expect(mistakesIn({ ...GOOD, recipient: recipient.replace("AAAJLK", "AAAJLL") }, SENDER)).toHaveProperty(
    "recipient",
  );
});

test("an empty form lacks a recipient and an amount", () => {
  expect(Object.keys(mistakesIn(EMPTY_DRAFT, SENDER))).toEqual(["recipient", "amount"]);
});

describe("the field at fault is named when", () => {
  const wrongLetter = RECIPIENT[20] === "A" ? "B" : "A";
  test.each<[string, Partial<Draft>, string]>([
    ["the recipient is the sender", { recipient: SENDER }, "recipient"],
    [
      "a letter of the address is wrong",
      { recipient: RECIPIENT.slice(0, 20) + wrongLetter + RECIPIENT.slice(21) },
      "recipient",
    ],
    ["the address is cut", { recipient: RECIPIENT.slice(0, 55) }, "recipient"],
    ["a secret seed was pasted", { recipient: createWalletKeypair().seed }, "recipient"],
    ["the amount is nothing", { amount: "0" }, "amount"],
    ["the amount has eight decimals", { amount: "1.00000001" }, "amount"],
    ["the amount has a comma", { amount: "1,5" }, "amount"],
    ["the length is no number", { length: "soon" }, "length"],
    ["the length is zero", { length: "0" }, "length"],
    ["the length is over ten years", { length: "3651", unit: "days" }, "length"],
    ["the title is long", { title: "x".repeat(81) }, "title"],
  ])("%s", (_, change, field) => {
    expect(Object.keys(mistakesIn({ ...GOOD, ...change }, SENDER))).toEqual([field]);
  });
});
