// Show Stripe's embedded Checkout in its place. Stripe's own script was loaded before; if it was kept out, say so.
(() => {
  const place = document.getElementById("embedded-checkout");
  const fail = () => { place.querySelector("[role=status]").textContent = place.dataset.sorry; };
  if (typeof Stripe === "undefined") { fail(); return; }
  const fetchClientSecret = () => Promise.resolve(place.dataset.secret);
  Stripe(place.dataset.key).createEmbeddedCheckoutPage({ fetchClientSecret }).then((checkout) => {
    place.replaceChildren();
    checkout.mount("#embedded-checkout");
  }).catch(fail);
})();
