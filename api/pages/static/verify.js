// Sends what the reader gives to /v1/verifications and shows the verdicts. Nothing is put into the page as markup.
"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
  const byId = (id) => document.getElementById(id);
  const verdicts = byId("verdicts");
  const SIGNS = { good: "✓", lapsed: "!", open: "?", bad: "✕" };

  function element(name, properties, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) node.setAttribute(key, value);
    for (const child of children) if (child !== null && child !== undefined && child !== "") node.append(child);
    return node;
  }

  const word = (key) => (Object.hasOwn(words, key) ? words[key] : key);
  const fact = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));

  function answers(verdict) {
    const one = (name, value) => fact(name, value === null ? word("no_standing")
      : element("span", {}, word(value), element("code", {}, value)));
    return element("dl", { class: "answers" },
      one(word("answer_integrity"), verdict.integrity),
      one(word("answer_conclusion"), verdict.conclusion),
      one(word("answer_standing"), verdict.standing),
      verdict.recognition ? one(word("answer_recognition"), verdict.recognition.outcome) : null,
      fact(word("answer_at"), verdict.at));
  }

  // the type's own titles for its fields; a type that this service does not know shows their names
  const types = new Map();
  async function titlesOf(type) {
    if (!types.has(type)) {
      types.set(type, fetch(`/v1/types/${encodeURIComponent(type)}`, { credentials: "omit" })
        .then((r) => (r.ok ? r.json() : null)).catch(() => null));
    }
    const found = await types.get(type);
    const fields = found ? found.schema.properties : {};
    const key = lang === "zh" ? "title" : "x-title-en";
    return {
      type: found ? found.title[lang] : type,
      field: (name) => (Object.hasOwn(fields, name) && fields[name][key]) || name,
      order: Object.keys(fields),
    };
  }

  function inOrder(fields, order) {
    const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
    return Object.entries(fields).sort(([a], [b]) => place(a) - place(b));
  }

  async function license(known) {
    const titles = await titlesOf(known.type);
    const list = element("dl", { class: "facts" },
      fact(word("type"), titles.type),
      fact(word("number"), known.number),
      fact(word("holders"), known.holders.map((h) => h.name).filter(Boolean).join("、")),
      fact(word("issuer"), known.issuer),
      fact(word("identifier"), element("code", {}, known.identifier)));
    for (const [name, value] of inOrder(known.fields || {}, titles.order)) list.append(fact(titles.field(name), value));
    return [element("h3", {}, word("license")), list];
  }

  // a license of another region: as what it counts here, with its data in the words of this region's type
  async function recognized(known) {
    const list = element("dl", { class: "facts" }, fact(word("of_region"), known.region || "?"));
    if (known.outcome === "RECOGNIZED") {
      const titles = await titlesOf(known.as_type);
      list.append(fact(word("as_type"), titles.type));
      for (const [name, value] of inOrder(known.license, titles.order)) list.append(fact(titles.field(name), value));
    }
    return [element("h3", {}, word("recognized")), list];
  }

  function signatures(all) {
    const list = element("dl", { class: "facts" });
    for (const s of all) {
      list.append(fact(word("signer"), `${s.signer || "?"} · ${s.format} · ${s.indication}${s.sub_indication ? ` (${s.sub_indication})` : ""}`));
      if (s.signed_at) list.append(fact(word("signed_at"), `${s.signed_at} ${word(s.time_source === "timestamp" ? "time_timestamp" : "time_claimed")}`));
    }
    return [element("h3", {}, word("signatures")), list];
  }

  // where it was seen, in words of the page's language
  function placeOf(f) {
    const place = f.place || {};
    const found = /^(page|object|byte) (\d+)$/.exec(f.where);
    const parts = f.place ? Object.entries(place) : found ? [[found[1], found[2]]] : [];
    const told = parts.filter(([key, value]) => value !== null && Object.hasOwn(words, `place_${key}`))
      .map(([key, value]) => word(`place_${key}`).replace("{}", Array.isArray(value) ? value.join("–") : value));
    return told.length ? told.join(lang === "zh" ? "，" : ", ") : f.where;
  }

  function findings(all) {
    const order = { FATAL: 0, DOUBT: 1, NOTE: 2 };
    const sorted = [...all].sort((a, b) => order[a.severity] - order[b.severity]);
    const list = element("ul", { class: "findings" });
    for (const f of sorted) {
      const details = [f.code, word(`about_${f.about}`), placeOf(f), f.clause].filter(Boolean).join(" · ");
      list.append(element("li", {}, element("span", { class: `mark ${f.severity}` }, word(f.severity)),
        element("span", {}, f.message, f.severity === "NOTE" ? null : element("span", { class: "advice" }, `${f.why}${lang === "zh" ? "" : " "}${f.action}`),
          element("small", {}, details))));
    }
    return [element("h3", {}, word("reasons")), all.length ? list : element("p", {}, word("no_findings"))];
  }

  // ---- a signed report on what was judged: the same is sent once more, and the answer is saved as a file
  function reportOn(source) {
    const status = element("span", { role: "status" });
    const button = (format) => {
      const made = element("button", { class: "button plain", type: "button", "data-report": format }, word(`report_${format}`));
      made.addEventListener("click", () => download(source, format, made, status));
      return made;
    };
    return element("div", { class: "row reports" }, element("span", {}, word("report")), button("pdf"), button("html"), status);
  }

  async function download(source, format, button, status) {
    button.disabled = true;
    status.replaceChildren(word("working"));
    try {
      const response = await fetch(`/v1/verifications/report?lang=${lang}&format=${format}`, { method: "POST", credentials: "omit", ...source() });
      if (!response.ok) throw new Error();
      const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") || "");
      const address = URL.createObjectURL(await response.blob());
      element("a", { href: address, download: named ? named[1] : `report.${format}` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
      status.replaceChildren();
    } catch {
      status.replaceChildren(word("report_failed"));
    }
    button.disabled = false;
  }

  // ---- an encrypted file: the same is sent once more with its password, and the answer takes the place of the first
  function passwordFor(source) {
    const input = element("input", { type: "password", autocomplete: "off", required: "", maxlength: "127", "aria-label": word("password"), placeholder: word("password") });
    const form = element("form", { class: "row password" }, input, element("button", { class: "button", type: "submit" }, word("password_try")));
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      const secret = input.value;
      const again = () => { const options = source(); options.body.set("password", secret); return options; };
      const before = form.closest("article");
      form.replaceWith(element("p", { class: "working", role: "status" }, word("working")));
      before.replaceWith(...await judged(again(), [again]));
    });
    return form;
  }

  async function card(verdict, source) {
    const tone = Object.hasOwn(SIGNS, verdict.summary.tone) ? verdict.summary.tone : "open";
    return element("article", { class: `verdict ${tone}`, "data-conclusion": verdict.conclusion, "data-integrity": verdict.integrity, "data-standing": verdict.standing || "", "data-recognition": verdict.recognition ? verdict.recognition.outcome : "" },
      element("div", { class: "head" }, element("span", { class: "sign", "aria-hidden": "true" }, SIGNS[tone]),
        element("div", {}, element("h2", {}, verdict.summary.title), element("p", {}, verdict.summary.advice),
          element("p", { class: "file" }, verdict.file))),
      answers(verdict),
      verdict.findings.some((f) => f.code === "PDF_ENCRYPTED") ? passwordFor(source) : null,
      ...(verdict.license ? await license(verdict.license) : []),
      ...(verdict.recognition ? await recognized(verdict.recognition) : []),
      ...findings(verdict.findings),
      ...(verdict.signatures.length ? signatures(verdict.signatures) : []),
      reportOn(source));
  }

  function failure(problem) {
    const box = element("div", { class: "notice bad", role: "alert" }, element("p", {}, element("b", {}, word("failed"))));
    for (const text of [problem.detail, problem.remedy]) if (text) box.append(element("p", {}, text));
    return box;
  }

  let latest = 0;

  // ``sources``: for each verdict, what gives the request that it answers
  async function judged(options, sources) {
    try {
      const response = await fetch(`/v1/verifications?lang=${lang}`, { method: "POST", credentials: "omit", headers: { Accept: "application/json", "Accept-Language": lang }, ...options });
      const answer = await response.json();
      return response.ok ? await Promise.all(answer.files.map((v, i) => card(v, sources[i]))) : [failure(answer)];
    } catch {
      return [failure({})];
    }
  }

  async function ask(options, sources) {
    const mine = ++latest;
    verdicts.replaceChildren(element("p", { class: "working", role: "status" }, word("working")));
    const shown = await judged(options, sources);
    if (mine !== latest) return;
    verdicts.replaceChildren(...shown);
    verdicts.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  function askFiles(files) {
    const list = [...files];
    if (!list.length) return;
    const body = (chosen) => {
      const form = new FormData();
      for (const file of chosen) form.append("file", file, file.name || "picture.png");
      return { body: form };
    };
    ask(body(list), list.map((file) => () => body([file])));
  }

  function askText(text) {
    const value = text.trim();
    if (!value) return;
    const record = /^[\w-]+\.[\w-]+\.[\w-]+(~|$)/.test(value);
    const body = JSON.stringify(record ? { record: value } : { code: value });
    ask({ body, headers: { "Content-Type": "application/json", Accept: "application/json", "Accept-Language": lang } },
      [() => ({ body, headers: { "Content-Type": "application/json" } })]);
  }

  const drop = byId("drop");
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (e) => { e.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => { e.preventDefault(); askFiles(e.dataTransfer.files); });
  for (const id of ["files", "picture"]) byId(id).addEventListener("change", (e) => { askFiles(e.target.files); e.target.value = ""; });
  document.addEventListener("paste", (e) => { if (e.clipboardData && e.clipboardData.files.length) askFiles(e.clipboardData.files); });
  byId("paste").addEventListener("submit", (e) => { e.preventDefault(); askText(byId("text").value); });

  // ---- the camera: codes are read in the browser where it can, else a shot is sent as a picture
  const video = byId("video");
  let stream = null;

  function stopCamera() {
    if (stream) for (const track of stream.getTracks()) track.stop();
    stream = null;
    byId("viewfinder").hidden = true;
  }

  async function startCamera() {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
    } catch {
      verdicts.replaceChildren(failure({ detail: word("camera_none") }));
      return;
    }
    byId("viewfinder").hidden = false;
    video.srcObject = stream;
    await video.play();
    if ("BarcodeDetector" in window) watch(new window.BarcodeDetector({ formats: ["qr_code"] }));
  }

  async function watch(detector) {
    while (stream) {
      const found = await detector.detect(video).catch(() => []);
      const code = found.map((f) => f.rawValue).find((text) => text.includes("#c="));
      if (code) { stopCamera(); askText(code); return; }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  function shoot() {
    const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => { stopCamera(); if (blob) askFiles([new File([blob], "camera.png", { type: "image/png" })]); }, "image/png");
  }

  byId("camera").addEventListener("click", startCamera);
  byId("stop").addEventListener("click", stopCamera);
  byId("shot").addEventListener("click", shoot);

  // ---- a scanned code's address: /verify#c=…
  function askFragment() {
    const match = /^#c=([A-Za-z0-9_-]+)$/.exec(location.hash);
    if (match) askText(`${location.origin}/verify#c=${match[1]}`);
  }
  addEventListener("hashchange", askFragment);
  byId("language").addEventListener("click", (e) => { if (location.hash) { e.preventDefault(); location.href = `${e.currentTarget.href}${location.hash}`; } });
  askFragment();
})();
