// Passkeys: the browser's own WebAuthn, between two calls of the site. The buttons stay hidden where it has none.
"use strict";

const WORDS = {
  NotAllowedError: "Nothing was chosen, or it took too long. Try again.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "The browser refuses passkeys at this address.",
};

async function post(section, address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-CSRFToken": section.querySelector("[name=csrfmiddlewaretoken]").value,
    },
    body: JSON.stringify(body),
  });
  if (answer.status === 429) {
    throw new Error(`Too many attempts. Try again in ${answer.headers.get("Retry-After")} seconds.`);
  }
  if (!answer.ok) {
    throw new Error("The site did not accept this passkey. Load the page again, and try again.");
  }
  return answer.json();
}

async function perform(section) {
  const isNew = section.dataset.passkey === "create";
  const asked = await post(section, section.dataset.begin, {});
  const publicKey = isNew
    ? PublicKeyCredential.parseCreationOptionsFromJSON(asked)
    : PublicKeyCredential.parseRequestOptionsFromJSON(asked);
  const credential = await navigator.credentials[section.dataset.passkey]({ publicKey });
  const next = section.dataset.next ? `?next=${encodeURIComponent(section.dataset.next)}` : "";
  const done = await post(section, section.dataset.complete + next, credential.toJSON());
  window.location.assign(isNew ? window.location.href : done.redirect_url);
}

for (const section of document.querySelectorAll("[data-passkey]")) {
  const button = section.querySelector("button");
  const note = section.querySelector("[role=status]");
  section.hidden = !(window.PublicKeyCredential && PublicKeyCredential.parseCreationOptionsFromJSON);
  button.addEventListener("click", async () => {
    button.disabled = true;
    note.textContent = "Your browser asks you for the passkey.";
    try {
      await perform(section);
    } catch (problem) {
      note.textContent = WORDS[problem.name] || problem.message;
      button.disabled = false;
    }
  });
}
