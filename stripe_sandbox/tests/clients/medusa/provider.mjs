// Medusa's payment provider for Stripe, against a sandbox: `node provider.mjs SANDBOX OPTIONS`.
import { createRequire } from "node:module";
import { drive, pointed } from "./driven.mjs";

const [sandbox, options] = process.argv.slice(2);
const { services } = createRequire(import.meta.url)("@medusajs/payment-stripe").default;
const Provider = services.find(({ identifier }) => identifier === "stripe");
Provider.validateOptions(JSON.parse(options));
const provider = new Provider({}, JSON.parse(options));
pointed(provider.stripe_, sandbox);

await drive(provider);
