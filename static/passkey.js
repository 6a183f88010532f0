// Passkeys: the browser's own WebAuthn, between two calls of the site. The buttons stay hidden where it has none.
"use strict";

// The sections have these in the reader's language.
const WORDS = { NotAllowedError: "nothing", InvalidStateError: "known", SecurityError: "address" };

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
    throw new Error(section.dataset.often.replace("{seconds}", answer.headers.get("Retry-After")));
  }
  if (!answer.ok) {
    throw new Error(section.dataset.refused);
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
    note.textContent = section.dataset.asks;
    try {
      await perform(section);
    } catch (problem) {
      note.textContent = section.dataset[WORDS[problem.name]] || problem.message;
      button.disabled = false;
    }
  });
}
