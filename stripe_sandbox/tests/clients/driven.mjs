// Lets a test call methods: each line of stdin names one with its arguments, each line of stdout is what came of it.
import { createInterface } from "node:readline";

// What a client logs is no answer.
console.log = console.info = console.warn = console.error;

export async function drive(methods) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { method, args } = JSON.parse(line);
    let answer;
    try {
      answer = { result: await methods[method](...args) };
    } catch (error) {
      answer = { error: `${error.message ?? error}` };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}

// Sends a client of Stripe that others have made to the sandbox; all else stays as they made it.
export function pointed(stripe, address) {
  const at = new URL(address);
  stripe._setApiField("host", at.hostname);
  stripe._setApiField("port", at.port);
  stripe._setApiField("protocol", "http");
  return stripe;
}
