/* The sandbox's stand-in for Stripe.js: it shows an embedded Checkout, and nothing else. */
(() => {
  const home = new URL(document.currentScript.src).origin;

  const embed = (id, onComplete) => {
    const frame = document.createElement("iframe");
    Object.assign(frame, { src: `${home}/c/${id}`, title: "Checkout", name: "embedded-checkout" });
    frame.style.cssText = "border: 0; width: 100%; min-height: 24rem; display: block; color-scheme: light dark;";
    const hear = (event) => {
      if (event.origin !== home || event.source !== frame.contentWindow) return;
      if (event.data.height) frame.style.height = `${event.data.height}px`;
      if (!event.data.complete) return;
      if (event.data.address) location.assign(event.data.address);
      else if (onComplete) onComplete();
    };
    window.addEventListener("message", hear);
    const unmount = () => frame.remove();
    return {
      mount: (place) => {
        const element = typeof place === "string" ? document.querySelector(place) : place;
        if (!element) throw new Error(`The element to mount Checkout in does not exist: ${place}`);
        element.replaceChildren(frame);
      },
      unmount,
      destroy: () => { unmount(); window.removeEventListener("message", hear); },
    };
  };

  const createEmbeddedCheckoutPage = async ({ fetchClientSecret, clientSecret, onComplete, ...others } = {}) => {
    const unknown = Object.keys(others).filter((name) => others[name] !== undefined);
    if (unknown.length) throw new Error(`The sandbox's embedded Checkout takes no ${unknown.join(", ")}.`);
    const secret = clientSecret || (await fetchClientSecret());
    if (typeof secret !== "string" || !secret.includes("_secret_"))
      throw new Error("The client secret of a Checkout session is wanted: cs_test_…_secret_….");
    return embed(secret.split("_secret_")[0], onComplete);
  };

  const known = { createEmbeddedCheckoutPage, initEmbeddedCheckout: createEmbeddedCheckoutPage, _registerWrapper: () => {}, registerAppInfo: () => {} };
  const refuse = (name) => () => { throw new Error(`The sandbox's Stripe.js has no ${name}: it shows embedded Checkout only.`); };
  window.Stripe = () => new Proxy(known, {
    get: (all, name) => (name in all ? all[name] : typeof name === "symbol" || name === "then" ? undefined : refuse(name)),
  });
  window.Stripe.version = "dahlia";
})();
