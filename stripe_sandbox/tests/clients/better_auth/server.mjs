// A better-auth server with its Stripe plugin, on a database in memory: `node server.mjs SANDBOX WEBHOOK_SECRET PLANS`.
// Prints its address; a line of stdin asks for the rows of all models.
import http from "node:http";
import { stripe } from "@better-auth/stripe";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import Stripe from "stripe";
import { drive } from "./driven.mjs";

const [sandbox, stripeWebhookSecret, plans] = process.argv.slice(2);
const at = new URL(sandbox);
const rows = { user: [], session: [], account: [], verification: [], subscription: [] };
const heard = [];
const hear = (name) => async ({ subscription }) => void heard.push([name, subscription.plan]);

const server = http.createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const baseURL = `http://127.0.0.1:${server.address().port}`;

const auth = betterAuth({
  baseURL,
  secret: "a-secret-of-thirty-two-characters-or-more",
  database: memoryAdapter(rows),
  emailAndPassword: { enabled: true },
  user: { changeEmail: { enabled: true, updateEmailWithoutVerification: true } },
  telemetry: { enabled: false },
  plugins: [
    stripe({
      stripeClient: new Stripe("sk_test_any", { host: at.hostname, port: at.port, protocol: "http" }),
      stripeWebhookSecret,
      createCustomerOnSignUp: true,
      subscription: {
        enabled: true,
        plans: JSON.parse(plans),
        onSubscriptionComplete: hear("complete"),
        onSubscriptionUpdate: hear("update"),
        onSubscriptionCancel: hear("cancel"),
        onSubscriptionDeleted: hear("deleted"),
      },
    }),
  ],
});
server.on("request", toNodeHandler(auth));

await drive({ address: () => baseURL, rows: (model) => rows[model], heard: () => heard });
server.close();
server.closeAllConnections();
