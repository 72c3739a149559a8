"use strict";
// The page is whole without this. It asks for news, and puts what has changed in place of
// what stood there, so that neither focus nor what was folded out is lost.
(() => {
  const body = document.body, live = document.querySelector(".live"), said = document.getElementById("said");
  let source, timer, fetching = false, wanted = false;

  const tell = (tone, word) => { live.className = "live " + tone; live.textContent = word; };

  function attributes(old, now) {
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && !now.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }

  function become(old, now) {
    if (old.isEqualNode(now) || old.nodeType === 1 && old.hasAttribute("data-keep")) return;
    if (old.nodeType !== 1) { old.nodeValue = now.nodeValue; return; }
    attributes(old, now);
    const known = new Map([...old.children].filter((e) => e.id).map((e) => [e.id, e]));
    let at = old.firstChild;
    for (const child of [...now.childNodes]) {
      const same = known.get(child.id) || (at && !at.id && !child.id && at.nodeName === child.nodeName ? at : null);
      if (!same) { old.insertBefore(child, at); continue; }
      while (child.id && at && at !== same && !at.id) at = drop(at); // what has a name is not moved, if it can be helped
      if (same === at) at = at.nextSibling; else old.insertBefore(same, at);
      become(same, child);
    }
    while (at) at = drop(at);
  }

  function drop(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  // What is said aloud is what has changed, and not each minute that passes.
  const sayings = (doc) => [...doc.querySelectorAll("[data-said]")].map((e) => e.dataset.said);

  async function refresh() {
    if (fetching) { wanted = true; return; }
    fetching = true;
    try {
      const reply = await fetch(location.href.split("#")[0], { cache: "no-store" });
      if (!reply.ok && reply.status !== 404) throw new Error(reply.status);
      const now = new DOMParser().parseFromString(await reply.text(), "text/html");
      if (now.documentElement.dataset.version !== document.documentElement.dataset.version) { location.reload(); return; }
      const before = sayings(document), news = sayings(now).filter((s) => s && !before.includes(s));
      document.title = now.title;
      const icon = document.querySelector("link[rel=icon]"), next = now.querySelector("link[rel=icon]");
      if (next && icon.getAttribute("href") !== next.getAttribute("href")) icon.setAttribute("href", next.getAttribute("href"));
      become(body, now.body);
      if (news.length) said.textContent = news.slice(0, 5).join(". ");
      tell("good", "live,");
    } catch {
      tell("bad", "connection lost:");
    } finally {
      fetching = false;
      plan();
    }
    if (wanted) { wanted = false; refresh(); }
  }

  function plan() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, 1000 * (Number(body.dataset.again) || 60));
  }

  function listen() {
    source?.close();
    source = new EventSource(body.dataset.events);
    source.addEventListener("changed", refresh);
    let lost = false;
    source.onopen = () => { if (lost) refresh(); lost = false; tell("good", "live,"); };
    source.onerror = () => { lost = true; if (source.readyState === EventSource.CLOSED) tell("plain", "asks now and then,"); else tell("bad", "connection lost:"); };
  }

  // A page that nobody sees takes no connection.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { source?.close(); clearTimeout(timer); } else { listen(); refresh(); }
  });
  if (!document.hidden) { listen(); plan(); }
})();
