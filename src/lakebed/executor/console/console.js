// Keeps pages as they would be if they were fetched again; asks for plans, starts, stops, sessions.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const say = (text) => { $("told").textContent = text; };
  const refuse = (text) => {
    $("refused").textContent = shown(text);
    $("refused").hidden = !text;
  };
  // Keys are anybody's: what is not to be seen is shown by its number.
  const shown = (text) => String(text)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);

  // --- asking the API ---

  // What a page of ours can read of its session and a foreign one cannot. Without a session there
  // is nothing that a foreign page could misuse.
  async function mark() {
    if (!$("sign-out")) return {};
    const answer = await fetch("/session");
    return answer.ok ? { "X-CSRF-Token": (await answer.json()).csrf } : {};
  }
  const toSignIn = () => {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  };

  async function ask(method, path, body, { key, signal } = {}) {
    const headers = await mark();
    if (key) headers["Idempotency-Key"] = key;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await fetch(path, { method, headers, body: text, signal });
    if (answer.ok) return answer;
    if (answer.status === 401 && path !== "/session") toSignIn();
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail || problem.title || `it answers ${answer.status}`),
      { status: answer.status, fields: problem.errors || [] });
  }

  // --- keeping a page as it would be now ---

  // Changes what differs and leaves the rest, so that focus, selection and what is open stay.
  function renew(old, fresh) {
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      if (wanted.id && at?.id !== wanted.id) {
        const moved = [...old.children].find((one) => one.id === wanted.id);
        if (moved) old.insertBefore(moved, at);
        at = moved || at;
      }
      const same = at && at.nodeName === wanted.nodeName && (at.id || "") === (wanted.id || "");
      if (!same) {
        old.insertBefore(document.importNode(wanted, true), at);
        continue;
      }
      if (wanted.nodeType === Node.ELEMENT_NODE) renew(at, wanted);
      else if (at.data !== wanted.data) at.data = wanted.data;
      at = at.nextSibling;
    }
    while (at) {
      const after = at.nextSibling;
      at.remove();
      at = after;
    }
  }

  async function refresh() {
    const path = new URL(location.href);
    path.hash = "";
    if ($("course")) path.searchParams.set("live", "true");
    const answer = await fetch(path);
    if (new URL(answer.url).pathname === "/sign-in") toSignIn();
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const before = $("live").dataset.state;
    for (const id of ["live", "live-details"]) {
      if ($(id) && fresh.getElementById(id)) renew($(id), fresh.getElementById(id));
    }
    document.title = fresh.title;
    const state = $("live").dataset.state;
    if (state !== before) say(`It is ${state} now.`);
  }

  // --- one operation, as it goes ---

  async function* pieces(answer, end) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const found = (text + value).split(end);
        text = found.pop();
        yield* found;
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  // Server-sent events by fetch: these can go on after a number that the page knows already.
  async function* events(path, after, signal) {
    const answer = await fetch(path, { headers: { "Last-Event-ID": String(after) }, signal });
    if (!answer.ok) throw new Error(String(answer.status));
    for await (const frame of pieces(answer, "\n\n")) {
      const parts = frame.split("\n").map((line) => [line.split(": ", 1)[0], line]);
      yield Object.fromEntries(parts.map(([name, line]) => [name, line.slice(name.length + 2)]));
    }
  }

  // Each row: seconds, and what was true up to then, since the row before.
  function plots() {
    const { BLUE, GREEN, POWERS, count, draw, size, steps } = Plots;
    const WHOLE = Array.from({ length: 10 }, (_, n) => [1, 2, 5][n % 3] * 10 ** Math.floor(n / 3));
    const rows = [[0, 0, 0], ...[...$("points").rows]
      .map((row) => [...row.querySelectorAll("data")].map((one) => Number(one.value)))];
    const column = (n) => rows.map((row) => row[n]);
    const drawn = [
      [1, "plot-throughput", { label: "bytes", colour: BLUE, value: size, incrs: POWERS }],
      [2, "plot-in-flight", { label: "objects", colour: GREEN, value: count, incrs: WHOLE, per: "" }],
    ].map(([n, id, look]) => {
      const made = () => steps({ edges: column(0), rates: column(n).slice(1) }, look);
      let plot = null;
      return () => {
        if (rows.length < 2) return;
        if (plot) plot.setData(made()[1]);
        else plot = draw($(id), made());
      };
    });
    const show = () => drawn.forEach((one) => one());
    show();
    return (told) => {
      rows.push([told.seconds, told.throughput, told.in_flight]);
      show();
    };
  }

  // Follows the events of what runs, told one by one to `point`; what may change by other means is
  // looked at now and then, and nothing of a page that nobody sees.
  async function watch(live, point) {
    let after = Number(live.dataset.after || 0), stop = new AbortController(), due = 0;
    document.addEventListener("visibilitychange", () => { if (document.hidden) stop.abort(); });
    while (live.dataset.events || live.dataset.every) {
      if (document.hidden) {
        await pause(500);
        continue;
      }
      stop = new AbortController();
      try {
        if (!live.dataset.events) await pause(Number(live.dataset.every));
        else for await (const event of events(live.dataset.events, after, stop.signal)) {
          if (event.event === "summary") break;
          if (event.id) after = Number(event.id);
          if (event.event === "progress") point(JSON.parse(event.data));
          if (Date.now() < due) continue;
          due = Date.now() + 1000;
          await refresh();
        }
      } catch {
        await pause(1000);
      }
      await refresh().catch(() => {});
    }
  }

  // --- buttons ---

  function confirmed(question, action) {
    const dialog = document.createElement("dialog"), text = document.createElement("p");
    const form = document.createElement("form"), buttons = document.createElement("p");
    text.id = "question";
    text.textContent = question;
    dialog.setAttribute("aria-labelledby", text.id);
    form.method = "dialog";
    buttons.className = "actions";
    for (const [value, label, kind] of [["", "Leave it", ""], ["yes", action, "grave"]]) {
      const button = document.createElement("button");
      Object.assign(button, { value, textContent: label, className: kind });
      buttons.append(button);
    }
    form.append(buttons);
    dialog.append(text, form);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((answer) => dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    }));
  }

  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("button[data-post]");
    if (!button) return;
    const action = `${button.textContent.trim()} it`;
    if (button.dataset.ask && !await confirmed(button.dataset.ask, action)) return;
    button.disabled = true;
    refuse("");
    try {
      await ask("POST", button.dataset.post);
      say("It was asked for.");
      await refresh();
    } catch (error) {
      refuse(error.message);
    } finally {
      button.disabled = false;
    }
  });

  // --- a new sync ---

  const READ = {
    checkbox: (field) => field.checked === field.defaultChecked ? undefined : field.checked,
    number: (field) => field.value === "" ? undefined : Number(field.value),
    "datetime-local": (field) => field.value ? new Date(field.value).toISOString() : undefined,
    textarea: (field) => {
      const rules = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
      return rules.length ? rules.map((rule) => rule.startsWith("-")
        ? { exclude: rule.slice(1).trim() }
        : { include: rule.replace(/^\+/, "").trim() }) : undefined;
    },
  };

  function bodyOf(form, forPlan) {
    const body = {};
    for (const field of form.elements) {
      if (!field.name || (forPlan && field.dataset.only)) continue;
      const value = (READ[field.type] || ((one) => one.value.trim() || undefined))(field);
      if (value === undefined) continue;
      const names = field.name.split("."), last = names.pop();
      const place = names.reduce((inside, name) => inside[name] ??= {}, body);
      place[last] = value;
    }
    return body;
  }

  function planning(form) {
    const MOST = 200;
    const state = $("planned-state"), start = $("start");
    let key = "", stop = new AbortController();

    const forget = () => {
      refuse("");
      for (const field of form.querySelectorAll("[aria-invalid]")) {
        field.removeAttribute("aria-invalid");
      }
    };
    const refused = (error) => {
      const fields = error.fields?.map(({ field }) => form.elements[field]).filter(Boolean) || [];
      for (const field of fields) {
        field.setAttribute("aria-invalid", "true");
        field.closest("details")?.setAttribute("open", "");
      }
      refuse(error.message);
      (fields[0] || $("refused")).focus();
    };
    const row = ({ decision, key: name, size, reason }) => {
      const line = document.createElement("tr"), code = document.createElement("code");
      const cells = [0, 1, 2].map(() => line.insertCell());
      cells[0].textContent = decision;
      code.className = "key";
      code.textContent = shown(name);
      cells[1].append(code);
      if (reason) {
        const why = document.createElement("div");
        why.className = "message";
        why.textContent = shown(reason);
        cells[1].append(why);
      }
      cells[2].className = "n";
      cells[2].textContent = Number.isFinite(size) ? Plots.size(size) : "";
      $("planned-rows").append(line);
    };
    const figures = (found) => {
      $("planned-figures").replaceChildren(...Object.entries(found).map(([label, number]) => {
        const one = document.createElement("li"), value = document.createElement("b");
        const name = document.createElement("span");
        value.textContent = number;
        name.textContent = label;
        one.append(value, name);
        return one;
      }));
    };

    async function plan() {
      stop.abort();
      stop = new AbortController();
      const { signal } = stop;
      $("planned").hidden = false;
      $("planned-rows").replaceChildren();
      $("planned-figures").replaceChildren();
      $("planned-decisions").hidden = true;
      start.disabled = true;
      state.textContent = "Both ends are being listed …";
      $("planned-title").focus();
      const answer = await ask("POST", "/api/v1/plan", bodyOf(form, true), { signal });
      let read = 0, summary = null;
      for await (const text of pieces(answer, "\n")) {
        const line = JSON.parse(text);
        if (line.event === "summary") summary = line;
        else if (line.event !== "decision") throw new Error(line.detail);
        else if (line.decision !== "skip" && $("planned-rows").rows.length < MOST) row(line);
        read += line.event === "decision";
        if (read % 1000 === 0) state.textContent = `${Plots.count(read)} decided so far …`;
      }
      if (!summary) throw new Error("the plan broke off before its end");
      const { copy, skip, changed, extra, delete: gone, fail, bytes } = summary;
      figures({
        "new": Plots.count(copy), "to be replaced": Plots.count(changed),
        "to be copied": Plots.size(bytes), unchanged: Plots.count(skip),
        "only at the destination": Plots.count(extra), "to be deleted": Plots.count(gone),
        "would fail": Plots.count(fail),
      });
      $("planned-decisions").hidden = !$("planned-rows").rows.length;
      const kept = summary.nothing_deleted ? ` Nothing is deleted: ${summary.nothing_deleted}.` : "";
      state.textContent = `${Plots.count(copy + changed)} of ${Plots.count(read)} objects are to be copied.${kept}`;
      say(state.textContent);
      start.disabled = false;
    }

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      forget();
      key = "";
      try {
        await plan();
      } catch (error) {
        if (error.name === "AbortError") return;
        $("planned").hidden = true;
        refused(error);
      }
    });
    form.addEventListener("input", () => {
      stop.abort();
      $("planned").hidden = true;
    });
    start.addEventListener("click", async () => {
      forget();
      start.disabled = true;
      key ||= [...crypto.getRandomValues(new Uint8Array(16))].join("-");
      try {
        const answer = await ask("POST", "/api/v1/sync", bodyOf(form), { key });
        const { operation_id: id } = await answer.json();
        location.assign(`/console/operations/${encodeURIComponent(id)}`);
      } catch (error) {
        refused(error);
        start.disabled = false;
      }
    });
  }

  // --- sessions ---

  async function open(form, ...attempts) {
    refuse("");
    let failure = null;
    for (const secret of attempts) {
      try {
        await ask("POST", "/session", secret);
        location.replace(form.dataset.back);
        return;
      } catch (error) {
        failure = error;
      }
    }
    refuse(failure.message);
    $("secret").value = "";
    $("secret").focus();
  }

  function signingIn(form) {
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    history.replaceState(null, "", location.pathname + location.search);
    if (code) open(form, { code });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const secret = $("secret").value.trim(), isKey = /^lkb_|\./.test(secret);
      open(form, ...(isKey ? [] : [{ code: secret }]), { key: secret });
    });
  }

  $("sign-out")?.addEventListener("click", async () => {
    await ask("DELETE", "/session").catch(() => {});
    location.assign("/sign-in");
  });

  if ($("sign-in")) signingIn($("sign-in"));
  if ($("new")) planning($("new"));
  if ($("live")) watch($("live"), $("course") ? plots() : () => {});
})();
