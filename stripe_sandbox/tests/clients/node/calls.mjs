// Drives the sandbox at the address given by stripe-node as it is installed, and prints a line of JSON for each call.
import http from "node:http";
import Stripe from "stripe";

const at = new URL(process.argv[2]);
const stripe = new Stripe("sk_test_any", { host: at.hostname, port: at.port, protocol: "http", maxNetworkRetries: 0 });
const back = { success_url: "https://example.com/done" };
const monthly = { interval: "month" };
const verified = new Set();
const forged = [];

async function call(name, wanted, ask) {
  let answer, found;
  try {
    answer = await ask();
    found = wanted(answer);
  } catch (error) {
    found = `${error.type ?? error.name}: ${error.message}`;
  }
  console.log(JSON.stringify({ name, ok: found === true, found: found === true ? undefined : String(found) }));
  return answer;
}

const is = (field, value) => (answer) => {
  const got = field.split(".").reduce((inner, name) => inner?.[name], answer);
  return got === value || `${field} is ${JSON.stringify(got)}, not ${JSON.stringify(value)}`;
};
const has = (field) => (answer) =>
  field.split(".").reduce((inner, name) => inner?.[name], answer) != null || `${field} is missing`;
const count = (number) => (answer) => answer.data.length === number || `${answer.data.length} entries, not ${number}`;
const some = (answer) => answer.data.length > 0 || "an empty list";
const refused = (type, code) => (ask) => async () => {
  try {
    await ask();
  } catch (error) {
    return { refusal: error.type === type && error.code === code ? "as wished" : `${error.type} ${error.code}` };
  }
  return { refusal: "none" };
};

async function control(path, body) {
  const answer = await fetch(new URL(`/_sandbox/${path}`, at), { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

let secret = "";
const receiver = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  try {
    verified.add(stripe.webhooks.constructEvent(body, request.headers["stripe-signature"], secret).type);
    response.end();
  } catch (error) {
    forged.push(error.message);
    response.writeHead(400).end();
  }
});
await new Promise((ready) => receiver.listen(0, "127.0.0.1", ready));
const hook = `http://127.0.0.1:${receiver.address().port}/hook`;

const s = stripe;
// The account and its webhooks
const endpoint = await call("webhookEndpoints.create", has("secret"), () => s.webhookEndpoints.create({ url: hook, enabled_events: ["*"] }));
secret = endpoint.secret;
await call("webhookEndpoints.retrieve", is("url", hook), () => s.webhookEndpoints.retrieve(endpoint.id));
await call("webhookEndpoints.update", is("description", "ours"), () => s.webhookEndpoints.update(endpoint.id, { description: "ours" }));
await call("webhookEndpoints.list", count(1), () => s.webhookEndpoints.list());
await call("accounts.retrieveCurrent", is("object", "account"), () => s.accounts.retrieveCurrent());
await call("balance.retrieve", is("object", "balance"), () => s.balance.retrieve());

// The catalogue
const product = await call("products.create", is("name", "Pro"), () => s.products.create({ name: "Pro" }));
await call("products.update", is("description", "All"), () => s.products.update(product.id, { description: "All" }));
await call("products.retrieve", is("description", "All"), () => s.products.retrieve(product.id));
await call("products.create of another", has("id"), () => s.products.create({ name: "Hats", active: false }));
await call("products.list", count(1), () => s.products.list({ active: true }));
const price = await call("prices.create", is("unit_amount", 2000), () => s.prices.create({ product: product.id, currency: "usd", unit_amount: 2000, recurring: monthly, lookup_key: "pro" }));
const dearer = await call("prices.create of another", is("unit_amount", 5000), () => s.prices.create({ product: product.id, currency: "usd", unit_amount: 5000, recurring: monthly }));
const once = await call("prices.create once", is("type", "one_time"), () => s.prices.create({ product: product.id, currency: "usd", unit_amount: 700 }));
await call("prices.retrieve", is("lookup_key", "pro"), () => s.prices.retrieve(price.id));
await call("prices.update", is("nickname", "Pro"), () => s.prices.update(price.id, { nickname: "Pro" }));
await call("prices.list", count(1), () => s.prices.list({ lookup_keys: ["pro"] }));
const coupon = await call("coupons.create", is("percent_off", 10), () => s.coupons.create({ percent_off: 10, duration: "forever" }));
await call("coupons.retrieve", is("valid", true), () => s.coupons.retrieve(coupon.id));
await call("coupons.list", count(1), () => s.coupons.list());
await call("plans.retrieve", is("amount", 2000), () => s.plans.retrieve(price.id));
await call("plans.list", count(2), () => s.plans.list({ product: product.id }));
const code = await call("promotionCodes.create", is("code", "TEN"), () => s.promotionCodes.create({ promotion: { type: "coupon", coupon: coupon.id }, code: "TEN" }));
await call("promotionCodes.list", count(1), () => s.promotionCodes.list({ code: "TEN" }));
await call("promotionCodes.update", is("active", false), () => s.promotionCodes.update(code.id, { active: false }));

// Customers and their cards
const ada = await call("customers.create", has("id"), () => s.customers.create({ email: "ada@example.com", payment_method: "pm_card_visa", invoice_settings: { default_payment_method: "pm_card_visa" } }));
await call("customers.update", is("name", "Ada"), () => s.customers.update(ada.id, { name: "Ada", metadata: { team: "7" } }));
await call("customers.retrieve", is("metadata.team", "7"), () => s.customers.retrieve(ada.id));
await call("customers.list", count(1), () => s.customers.list({ email: "ada@example.com" }));
const ben = await call("customers.create of another", has("id"), () => s.customers.create({ email: "ben@example.com" }));
const method = await call("paymentMethods.create", is("card.brand", "mastercard"), () => s.paymentMethods.create({ type: "card", card: { token: "tok_mastercard" } }));
await call("paymentMethods.attach", is("customer", ada.id), () => s.paymentMethods.attach(method.id, { customer: ada.id }));
await call("paymentMethods.retrieve", is("customer", ada.id), () => s.paymentMethods.retrieve(method.id));
await call("customers.listPaymentMethods", count(2), () => s.customers.listPaymentMethods(ada.id));
await call("paymentMethods.detach", is("customer", null), () => s.paymentMethods.detach(method.id));
await call("customers.createBalanceTransaction", is("ending_balance", -100), () => s.customers.createBalanceTransaction(ada.id, { amount: -100, currency: "usd" }));
await call("customers.listBalanceTransactions", count(1), () => s.customers.listBalanceTransactions(ada.id));
const setup = await call("setupIntents.create", is("status", "requires_payment_method"), () => s.setupIntents.create({ customer: ada.id }));
await call("setupIntents.confirm", is("status", "succeeded"), () => s.setupIntents.confirm(setup.id, { payment_method: "pm_card_visa", return_url: "https://example.com" }));
await call("setupIntents.list", some, () => s.setupIntents.list({ customer: ada.id }));

// Checkout and the portal
const session = await call("checkout.sessions.create", has("url"), () => s.checkout.sessions.create({ mode: "subscription", customer: ada.id, line_items: [{ price: price.id, quantity: 1 }], ...back }));
await call("checkout page", (page) => page.includes("Total due today") || page.slice(0, 200), async () => (await fetch(session.url)).text());
await call("checkout declined", is("outcome", "declined"), () => control(`checkout/${session.id}/complete`, { payment_method: "pm_card_chargeDeclined" }));
await call("checkout paid", is("session.status", "complete"), () => control(`checkout/${session.id}/complete`, { payment_method: "pm_card_visa" }));
const paid = await call("checkout.sessions.retrieve", is("subscription.status", "active"), () => s.checkout.sessions.retrieve(session.id, { expand: ["subscription"] }));
await call("checkout.sessions.listLineItems", count(1), () => s.checkout.sessions.listLineItems(session.id));
const unsold = await call("checkout.sessions.create for one payment", is("mode", "payment"), () => s.checkout.sessions.create({ mode: "payment", line_items: [{ price: once.id, quantity: 2 }], ...back }));
await call("checkout.sessions.expire", is("status", "expired"), () => s.checkout.sessions.expire(unsold.id));
await call("checkout.sessions.list", count(2), () => s.checkout.sessions.list());
const portal = await call("billingPortal.configurations.create", is("active", true), () => s.billingPortal.configurations.create({ features: { invoice_history: { enabled: true }, payment_method_update: { enabled: true } } }));
await call("billingPortal.configurations.list", count(1), () => s.billingPortal.configurations.list());
await call("billingPortal.sessions.create", has("url"), () => s.billingPortal.sessions.create({ customer: ada.id, configuration: portal.id, return_url: "https://example.com" }));

// Subscriptions
const sub = paid.subscription;
await call("subscriptions.retrieve", is("latest_invoice.status", "paid"), () => s.subscriptions.retrieve(sub.id, { expand: ["latest_invoice"] }));
await call("invoices.createPreview", has("total"), () => s.invoices.createPreview({ subscription: sub.id }));
await call("subscriptions.update to another price", is("items.data.0.price.id", dearer.id), () => s.subscriptions.update(sub.id, { items: [{ id: sub.items.data[0].id, price: dearer.id }], proration_behavior: "create_prorations" }));
await call("subscriptions.update with a discount", (it) => it.discounts.length === 1 || "no discount", () => s.subscriptions.update(sub.id, { discounts: [{ coupon: coupon.id }] }));
await call("subscriptions.deleteDiscount", is("deleted", true), () => s.subscriptions.deleteDiscount(sub.id));
await call("subscriptionItems.list", count(1), () => s.subscriptionItems.list({ subscription: sub.id }));
await call("subscriptionItems.update", is("quantity", 2), () => s.subscriptionItems.update(sub.items.data[0].id, { quantity: 2, proration_behavior: "none" }));
await call("subscriptions.update to an end", has("cancel_at"), () => s.subscriptions.update(sub.id, { cancel_at_period_end: true }));
await call("subscriptions.update to no end", is("cancel_at_period_end", false), () => s.subscriptions.update(sub.id, { cancel_at_period_end: false }));
const trial = await call("subscriptions.create with a trial", is("status", "trialing"), () => s.subscriptions.create({ customer: ada.id, items: [{ price: price.id }], trial_period_days: 7 }));
const schedule = await call("subscriptionSchedules.create", is("status", "active"), () => s.subscriptionSchedules.create({ from_subscription: trial.id }));
await call("subscriptionSchedules.release", is("status", "released"), () => s.subscriptionSchedules.release(schedule.id));
await call("subscriptions.cancel", is("status", "canceled"), () => s.subscriptions.cancel(trial.id));
await call("subscriptions.list", count(1), () => s.subscriptions.list({ customer: ada.id }));
await call("advance a month", has("now"), () => control("advance", { seconds: 32 * 86_400 }));
await call("invoices.list after a renewal", (list) => list.data.length >= 2 || `${list.data.length} invoices`, () => s.invoices.list({ subscription: sub.id, status: "paid" }));

// Invoices by hand
const draft = await call("invoices.create", is("status", "draft"), () => s.invoices.create({ customer: ada.id, auto_advance: false }));
const item = await call("invoiceItems.create", is("amount", 900), () => s.invoiceItems.create({ customer: ada.id, invoice: draft.id, amount: 900, currency: "usd" }));
await call("invoiceItems.update", is("amount", 800), () => s.invoiceItems.update(item.id, { amount: 800 }));
await call("invoices.finalizeInvoice", is("status", "open"), () => s.invoices.finalizeInvoice(draft.id));
await call("invoices.pay", is("status", "paid"), () => s.invoices.pay(draft.id));
await call("invoices.listLineItems", count(1), () => s.invoices.listLineItems(draft.id));
const void_ = await call("invoices.create to void", is("status", "draft"), () => s.invoices.create({ customer: ada.id, auto_advance: false }));
await call("invoiceItems.create to void", is("amount", 500), () => s.invoiceItems.create({ customer: ada.id, invoice: void_.id, amount: 500, currency: "usd" }));
await call("invoices.finalizeInvoice to void", is("status", "open"), () => s.invoices.finalizeInvoice(void_.id));
await call("invoices.voidInvoice", is("status", "void"), () => s.invoices.voidInvoice(void_.id));

const noted = await call("creditNotes.create", is("amount", 300), () => s.creditNotes.create({ invoice: draft.id, amount: 300, credit_amount: 300 }));
await call("creditNotes.retrieve", is("status", "issued"), () => s.creditNotes.retrieve(noted.id));
await call("creditNotes.list", count(1), () => s.creditNotes.list({ invoice: draft.id }));
await call("creditNotes.voidCreditNote of a paid invoice", is("refusal", "as wished"), refused("StripeInvalidRequestError", undefined)(() => s.creditNotes.voidCreditNote(noted.id)));
const [paying] = (await call("invoicePayments.list", count(1), () => s.invoicePayments.list({ invoice: draft.id }))).data;
await call("invoicePayments.retrieve", is("status", "paid"), () => s.invoicePayments.retrieve(paying.id));

// Entitlements
const feature = await call("entitlements.features.create", is("lookup_key", "reports"), () => s.entitlements.features.create({ lookup_key: "reports", name: "Reports" }));
await call("products.createFeature", is("entitlement_feature.id", feature.id), () => s.products.createFeature(product.id, { entitlement_feature: feature.id }));
await call("entitlements.activeEntitlements.list", is("data.0.lookup_key", "reports"), () => s.entitlements.activeEntitlements.list({ customer: ada.id }));

// Payments
const intent = await call("paymentIntents.create", is("status", "requires_payment_method"), () => s.paymentIntents.create({ amount: 1000, currency: "usd", customer: ada.id }));
const succeeded = await call("paymentIntents.confirm", is("status", "succeeded"), () => s.paymentIntents.confirm(intent.id, { payment_method: "pm_card_visa", return_url: "https://example.com" }));
const debit = await call("paymentIntents.create by debit", is("status", "processing"), () => s.paymentIntents.create({ amount: 900, currency: "eur", payment_method_types: ["sepa_debit"], payment_method: "pm_sepaDebit_success_de", mandate_data: { customer_acceptance: { type: "offline" } }, confirm: true }));
await call("the bank answers", () => true, () => control(`payments/${debit.id}`, { outcome: "succeeded" }));
await call("paymentIntents.retrieve by debit", is("status", "succeeded"), () => s.paymentIntents.retrieve(debit.id));
const held = await call("paymentIntents.create to hold", is("status", "requires_capture"), () => s.paymentIntents.create({ amount: 800, currency: "usd", capture_method: "manual", payment_method: "pm_card_visa", confirm: true, return_url: "https://example.com" }));
await call("paymentIntents.capture", is("amount_received", 500), () => s.paymentIntents.capture(held.id, { amount_to_capture: 500 }));
const open = await call("paymentIntents.create to change", is("amount", 700), () => s.paymentIntents.create({ amount: 700, currency: "usd" }));
await call("paymentIntents.update", is("amount", 750), () => s.paymentIntents.update(open.id, { amount: 750 }));
await call("paymentIntents.cancel", is("status", "canceled"), () => s.paymentIntents.cancel(open.id));
await call("paymentIntents.retrieve", is("latest_charge.paid", true), () => s.paymentIntents.retrieve(intent.id, { expand: ["latest_charge"] }));
await call("paymentIntents.list", some, () => s.paymentIntents.list({ customer: ada.id }));
await call("charges.retrieve", is("amount", 1000), () => s.charges.retrieve(succeeded.latest_charge));
await call("refunds.create", is("status", "succeeded"), () => s.refunds.create({ payment_intent: intent.id, amount: 300 }));
await call("refunds.list", count(1), () => s.refunds.list({ payment_intent: intent.id }));
await call("balanceTransactions.list", some, () => s.balanceTransactions.list());
const dispute = await call("dispute opened", has("id"), () => control("disputes", { charge: succeeded.latest_charge }));
await call("disputes.retrieve", is("status", "needs_response"), () => s.disputes.retrieve(dispute.id));
await call("disputes.close", is("status", "lost"), () => s.disputes.close(dispute.id));
await call("a declined card", is("refusal", "as wished"), refused("StripeCardError", "card_declined")(() => s.paymentIntents.create({ amount: 500, currency: "usd", payment_method: "pm_card_chargeDeclined", confirm: true, return_url: "https://example.com" })));
await call("an unknown id", is("refusal", "as wished"), refused("StripeInvalidRequestError", "resource_missing")(() => s.customers.retrieve("cus_nobody")));
await call("a parameter that is not covered", is("refusal", "as wished"), refused("StripeInvalidRequestError", "sandbox_not_covered")(() => s.subscriptions.create({ customer: ada.id, items: [{ price: price.id }], application_fee_percent: 3 })));

// Manners
const keyed = () => s.customers.create({ email: "twice@example.com" }, { idempotencyKey: "one-key" });
const first = await call("an idempotency key", has("id"), keyed);
await call("the same key again", is("id", first.id), keyed);
const walked = async (list) => {
  const ids = [];
  for await (const { id } of list) ids.push(id);
  return ids;
};
const lists = { customers: s.customers, products: s.products, prices: s.prices, plans: s.plans, invoices: s.invoices, charges: s.charges, paymentIntents: s.paymentIntents, "checkout.sessions": s.checkout.sessions, balanceTransactions: s.balanceTransactions, events: s.events };
for (const [name, resource] of Object.entries(lists)) {
  const all = (await resource.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })).map(({ id }) => id);
  const same = (wanted) => (ids) => (ids.length > 0 && ids.join() === wanted.join()) || `${ids.length} of ${wanted.length}`;
  await call(`${name}.list page by page`, same(all), () => walked(resource.list({ limit: 2 })));
  await call(`${name}.list backwards`, same(all.slice(0, -1).reverse()), () => walked(resource.list({ limit: 2, ending_before: all.at(-1) })));
}
await call("customers.del", is("deleted", true), () => s.customers.del(ben.id));
await call("events.list", some, () => s.events.list({ limit: 100 }));
const clock = await call("testHelpers.testClocks.create", is("status", "ready"), () => s.testHelpers.testClocks.create({ frozen_time: 1_900_000_000 }));
await call("testHelpers.testClocks.advance", has("status"), () => s.testHelpers.testClocks.advance(clock.id, { frozen_time: 1_900_086_400 }));
await call("testHelpers.testClocks.del", is("deleted", true), () => s.testHelpers.testClocks.del(clock.id));

// Webhooks: everything that was told came signed
await call("deliveries settle", () => true, () => control("settle", { timeout: 20 }));
await call("every signature is verified", (messages) => messages.length === 0 || messages[0], async () => forged);
const told = `product.created price.created coupon.created promotion_code.updated customer.created customer.updated customer.deleted
  payment_method.attached payment_method.detached setup_intent.succeeded checkout.session.completed checkout.session.expired
  billing_portal.configuration.created billing_portal.session.created customer.subscription.created customer.subscription.updated
  customer.subscription.deleted subscription_schedule.created subscription_schedule.released invoiceitem.created
  invoice.created invoice.finalized invoice.paid invoice.payment_succeeded invoice.voided invoice_payment.paid invoice.upcoming
  credit_note.created entitlements.active_entitlement_summary.updated payment_intent.created payment_intent.succeeded payment_intent.canceled
  payment_intent.processing payment_intent.payment_failed payment_intent.amount_capturable_updated charge.succeeded charge.failed charge.captured
  charge.refunded refund.created charge.dispute.created charge.dispute.closed test_helpers.test_clock.ready`.split(/\s+/);
await call("webhooks arrive", (missing) => missing.length === 0 || `no ${missing}`, async () => told.filter((type) => !verified.has(type)));
await call("webhookEndpoints.del", is("deleted", true), () => s.webhookEndpoints.del(endpoint.id));
receiver.close();
receiver.closeAllConnections();
