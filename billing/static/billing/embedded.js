// Show Stripe's embedded Checkout in its place. Stripe's own script was loaded before; if it was kept out, say so.
(() => {
  const place = document.getElementById("embedded-checkout");
  const sorry = "The payment form could not be loaded. Nothing was charged: load this page again, or try another browser.";
  const fail = () => { place.querySelector("[role=status]").textContent = sorry; };
  if (typeof Stripe === "undefined") { fail(); return; }
  const fetchClientSecret = () => Promise.resolve(place.dataset.secret);
  Stripe(place.dataset.key).createEmbeddedCheckoutPage({ fetchClientSecret }).then((checkout) => {
    place.replaceChildren();
    checkout.mount("#embedded-checkout");
  }).catch(fail);
})();
