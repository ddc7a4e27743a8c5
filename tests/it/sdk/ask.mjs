// Signs and checks with the official JavaScript library: one JSON question a line on stdin, one answer a line on stdout,
// behind a line that says "ready".

import { createInterface } from "node:readline";
import { sign, verify } from "@octokit/webhooks-methods";

const HEADER = "x-hub-signature-256";

async function answer({ do: what, secret, headers, body }) {
  const text = Buffer.from(body, "base64").toString();
  if (what === "sign") {
    return { headers: { [HEADER]: await sign(secret, text) } };
  }
  try {
    const genuine = await verify(secret, text, headers[HEADER]);
    return genuine ? { genuine } : { genuine, why: "verify says no" };
  } catch (error) {
    return { genuine: false, why: String(error) };
  }
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
