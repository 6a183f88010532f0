// Supabase's sync engine on a database, against a sandbox: `node engine.mjs SANDBOX DATABASE WEBHOOK_SECRET [CONFIG]`.
import { createRequire } from "node:module";
import { drive, pointed } from "./driven.mjs";

// As a module of ES, the engine does not find its own migrations.
const { runMigrations, StripeSync } = createRequire(import.meta.url)("@supabase/stripe-sync-engine");
const [sandbox, databaseUrl, stripeWebhookSecret, config] = process.argv.slice(2);

await runMigrations({ databaseUrl, schema: "stripe", logger: { info() {}, error: (error) => console.error(error) } });
const engine = new StripeSync({
  poolConfig: { connectionString: databaseUrl },
  stripeSecretKey: "sk_test_any",
  stripeWebhookSecret,
  autoExpandLists: true,
  ...JSON.parse(config ?? "{}"),
});
pointed(engine.stripe, sandbox);

await drive({
  syncBackfill: (params) => engine.syncBackfill(params),
  syncFeatures: () => engine.syncFeatures(),
  syncEntitlements: (customer) => engine.syncEntitlements(customer),
  processWebhook: (payload, signature) => engine.processWebhook(payload, signature),
});
await engine.close();
