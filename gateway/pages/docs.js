// The API page: everything it shows comes from /openapi.json, nothing from elsewhere.

const WHO = {
  public: "公开 public", member: "会员 member", terminal: "终端 terminal", vendor: "停车供应商 vendor", system: "集团系统 system",
  operator: "操作员 operator",
};
const AREA = { org: "组织", member: "会员", points: "积分", mall: "商城", parking: "停车", settlement: "结算" };
const PROBLEM = "#/components/schemas/Problem";
const page = { document: null, operations: [], identity: { auth: "none", token: "", proof: "", key_id: "", secret: "" } };

// --- small helpers ---

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const follow = (schema) =>
  schema && schema.$ref ? { ...resolve(schema.$ref), ...omit(schema, "$ref"), _name: schema.$ref.split("/").pop() } : schema;
const resolve = (reference) => reference.slice(2).split("/").reduce((at, key) => at[key], page.document);
const omit = (object, key) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
// Text with `code` in it, as protos' comments are written.
const prose = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
const pretty = (value) => JSON.stringify(value, null, 2);

// --- signing, as documented under "signedRequest" ---

const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function signedHeader({ key_id, secret }, method, path, query, body) {
  const bytes = new TextEncoder();
  const timestamp = Math.floor(Date.now() / 1000);
  const nonce = hex(crypto.getRandomValues(new Uint8Array(16)));
  const digest = hex(await crypto.subtle.digest("SHA-256", bytes.encode(body)));
  const text = [method, path, query, digest, timestamp, nonce, key_id].join("\n");
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = hex(await crypto.subtle.sign("HMAC", key, bytes.encode(text)));
  return `HUITONG-HMAC-SHA256 key_id=${key_id}, timestamp=${timestamp}, nonce=${nonce}, signature=${signature}`;
}

async function authorization(method, path, query, body) {
  const { auth, token } = page.identity;
  if (auth === "bearer") return `Bearer ${token.trim()}`;
  if (auth !== "signed") return null;
  if (!globalThis.crypto?.subtle) throw new Error("签名需要 HTTPS 或 localhost。Signing needs HTTPS or localhost.");
  return signedHeader(page.identity, method, path, query, body);
}

// --- the list ---

function listOperations() {
  const nav = document.getElementById("operations");
  const words = document.getElementById("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const current = location.hash.slice(1);
  const groups = page.document.tags.map((tag) => {
    const shown = page.operations.filter((each) => each.tags[0] === tag.name && words.every((word) => each.text.includes(word)));
    if (!shown.length) return [];
    const area = tag["x-package"].split(".")[1];
    return [make("h2", { title: tag.description }, `${AREA[area] ?? ""} ${area} · ${tag.name.replace(/Service$/, "")}`), ...shown.map((each) => link(each, current))];
  });
  nav.replaceChildren(...groups.flat());
  if (!nav.children.length) nav.append(make("p", { class: "hint" }, "没有匹配的接口 Nothing matches"));
}

const link = (operation, current) =>
  make("a", { href: `#${operation.operationId}`, title: `${operation.verb} ${operation.path}`, "aria-current": operation.operationId === current && "page" },
    make("span", { class: `verb ${operation.verb}` }, operation.verb), make("span", {}, operation.summary));

// --- one operation ---

function showOperation() {
  const operation = page.operations.find((each) => each.operationId === location.hash.slice(1));
  const detail = document.getElementById("detail");
  detail.replaceChildren(...(operation ? operationParts(operation) : introduction()));
  document.title = `${operation ? operation.summary : "汇通开放接口"} · Huitong API`;
  detail.scrollIntoView?.();
  window.scrollTo(0, 0);
  listOperations();
}

function introduction() {
  const { info, components } = page.document;
  const general = Object.entries(components.responses).map(([name, response]) => [make("dt", {}, name.slice(1)), make("dd", {}, response.description)]);
  return [
    make("h1", {}, info.title),
    ...info.description.split("\n\n").map((paragraph) => make("p", {}, prose(paragraph))),
    make("h2", {}, "身份 ", make("small", {}, "Who calls")),
    ...Object.entries(components.securitySchemes).map(([name, scheme]) => make("p", {}, make("strong", {}, name), " — ", prose(scheme.description))),
    make("h2", {}, "错误 ", make("small", {}, "Errors are application/problem+json")),
    make("dl", { class: "facts" }, general.flat()),
    make("pre", {}, pretty(resolve(PROBLEM).example)),
    make("p", {}, `${page.operations.length} 个接口 operations · `, make("a", { href: "/openapi.json" }, "openapi.json")),
  ];
}

function operationParts(operation) {
  const content = operation.requestBody?.content;
  const answers = operation.responses["200"].content;
  return [
    make("h1", {}, operation.summary),
    make("div", { class: "address" }, make("span", { class: `verb ${operation.verb}` }, operation.verb), make("span", { class: "path" }, operation.path)),
    operation.description !== operation.summary ? make("p", {}, prose(operation.description)) : null,
    facts(operation),
    tryIt(operation, content),
    operation.parameters ? [make("h2", {}, "参数 ", make("small", {}, "Parameters")), parameterFields(operation.parameters)] : null,
    content ? contentParts("请求体", "Request body", content) : null,
    contentParts("应答", "Response", answers),
  ].flat().filter(Boolean);
}

function facts(operation) {
  const limits = operation["x-calls-per-minute"];
  const who = operation["x-audiences"].map((kind) => make("li", { class: "who" }, `${WHO[kind] ?? kind} · ${limits[kind]}/min`));
  const bound = operation["x-bindings"].map((each) => make("li", {}, make("code", {}, each.field), ` = ${WHO[each.audience] ?? each.audience}`));
  const reasons = operation["x-errors"].map((reason) => make("li", { class: "reason" }, reason));
  const rows = [
    ["谁可调用 Callers", make("ul", { class: "chips" }, who)],
    bound.length ? ["绑定字段 Bound fields", make("ul", { class: "chips" }, bound)] : null,
    ["权限 Permission", make("code", {}, operation["x-permission"])],
    reasons.length ? ["错误原因 Reasons", make("ul", { class: "chips" }, reasons)] : null,
    ["gRPC", make("code", {}, operation["x-rpc"])],
  ].filter(Boolean);
  return make("dl", { class: "facts" }, rows.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]).flat());
}

function contentParts(chinese, english, content) {
  const box = make("div");
  const buttons = Object.keys(content).map((type) => make("button", { type: "button", onclick: () => show(type) }, type));
  const show = (type) => {
    buttons.forEach((button) => button.setAttribute("aria-pressed", button.textContent === type));
    const { schema, example, "x-each-line": eachLine } = content[type];
    const hint = eachLine ? make("p", { class: "hint" }, "每行一个对象 One object a line") : null;
    box.replaceChildren(...[hint, fieldsOf(follow(schema)), make("details", {}, make("summary", {}, "示例 Example"), make("pre", {}, pretty(example)))].filter(Boolean));
  };
  show(Object.keys(content)[0]);
  return [make("h2", {}, `${chinese} `, make("small", {}, english)), buttons.length > 1 ? make("div", { class: "tabs" }, buttons) : null, box];
}

const parameterFields = (parameters) =>
  make("div", { class: "fields" }, parameters.map((each) => field(each.name, { ...each.schema, description: each.description }, each.required, each.in)));

function fieldsOf(schema, depth = 0) {
  const properties = Object.entries(schema.properties ?? {});
  const required = new Set(schema.required ?? []);
  const note = schema.description && depth === 0 ? make("p", { class: "hint" }, prose(schema.description)) : null;
  if (!properties.length) return make("div", { class: "fields" }, make("p", { class: "hint" }, "没有字段 No fields"));
  return make("div", {}, note, make("div", { class: "fields" }, properties.map(([name, inner]) => field(name, inner, required.has(name), "", depth))));
}

function field(name, raw, required, place = "", depth = 0) {
  const schema = follow(raw);
  const item = schema.type === "array" ? follow(schema.items) : schema.additionalProperties?.type || schema.additionalProperties?.$ref ? follow(schema.additionalProperties) : schema;
  const nested = item.properties && depth < 6
    ? make("details", depth === 0 || Object.keys(item.properties).length <= 3 ? { open: true } : {}, make("summary", {}, item._name ?? "object"), fieldsOf(item, depth + 1))
    : null;
  return make("div", { class: "field" },
    make("div", { class: "head" }, make("span", { class: "name" }, name), make("span", { class: "type" }, typeName(schema)),
      required ? make("span", { class: "must" }, "必填 required") : null, make("span", { class: "rule" }, [place, rules(schema)].filter(Boolean).join(" · "))),
    schema.description ? make("p", {}, prose(schema.description)) : null,
    item.enum ? make("ul", { class: "chips" }, item.enum.map((value) => make("li", { class: "reason" }, value))) : null,
    nested);
}

function typeName(schema) {
  if (schema.type === "array") return `${typeName(follow(schema.items))}[]`;
  if (schema.additionalProperties) return `map<string, ${typeName(follow(schema.additionalProperties))}>`;
  if (schema.enum) return "enum";
  return schema.format ?? (schema.properties ? schema._name ?? "object" : schema.type ?? "any");
}

function rules(schema) {
  const range = (low, high, unit) => (low === undefined && high === undefined ? "" : `${low ?? ""} … ${high ?? ""} ${unit}`.trim());
  const least = schema.minimum ?? (schema.exclusiveMinimum !== undefined ? `>${schema.exclusiveMinimum}` : undefined);
  const most = schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum ?? (schema.exclusiveMaximum !== undefined ? `<${schema.exclusiveMaximum}` : undefined);
  return [range(least, most, ""), range(schema.minLength, schema.maxLength, "字符 chars"), range(schema.minItems, schema.maxItems, "项 items"), schema.pattern ?? ""]
    .filter(Boolean).join(" · ");
}

// --- try it ---

function tryIt(operation, content) {
  const inputs = (operation.parameters ?? []).map((each) => [each, make("input", { name: each.name, id: `p-${each.name}`, placeholder: each.schema.type ?? "", value: each.in === "path" ? sample(each) : "" })]);
  const types = Object.keys(content ?? {});
  const kind = types.length > 1 ? make("select", { "aria-label": "Content-Type" }, types.map((type) => make("option", {}, type))) : null;
  const body = content ? make("textarea", { spellcheck: "false", "aria-label": "请求体 Request body" }) : null;
  const fill = () => {
    const type = kind?.value ?? types[0];
    body.value = type.endsWith("x-ndjson") ? `${JSON.stringify(content[type].example)}\n` : pretty(fresh(content[type].example));
  };
  if (body) { fill(); kind?.addEventListener("change", fill); }
  const output = make("div", { "aria-live": "polite" });
  const button = make("button", { class: "main", type: "submit" }, "发送 Send");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try { output.replaceChildren(...await send(operation, inputs, kind?.value ?? types[0], body?.value ?? "")); }
    catch (error) { output.replaceChildren(make("p", { class: "status bad" }, String(error.message ?? error))); }
    button.disabled = false;
  };
  const form = make("form", { class: "try", onsubmit: submit },
    inputs.length ? make("div", { class: "parameters" }, inputs.map(([each, input]) => [make("label", { for: input.id }, each.name), input]).flat()) : null,
    kind, body,
    make("div", { class: "go" }, button, make("span", { class: "hint" }, "以右上角所选身份发送 · Sent as the identity chosen at the top right")),
    output);
  return [make("h2", {}, "试一试 ", make("small", {}, "Try it")), form];
}

const sample = (parameter) => parameter.schema.example ?? (parameter.name.endsWith("member_id") ? "mbr_" + "0".repeat(32) : "");
// A request id of its own, so that sending the example twice is two requests.
const fresh = (example) => (example && "request_id" in example ? { ...example, request_id: `try-${Date.now().toString(36)}` } : example);

async function send(operation, inputs, type, body) {
  let path = operation.path;
  const query = new URLSearchParams();
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value) for (const value of parameter.schema.type === "array" ? input.value.split(",") : [input.value]) query.append(parameter.name, value.trim());
  }
  const text = query.toString();
  const headers = { "accept-language": navigator.language };
  if (type) headers["content-type"] = type;
  const identity = await authorization(operation.verb, path, text, type ? body : "");
  if (identity) headers.authorization = identity;
  if (page.identity.auth === "bearer" && page.identity.proof.trim()) headers["huitong-proof"] = page.identity.proof.trim();
  const began = performance.now();
  const answer = await fetch(text ? `${path}?${text}` : path, { method: operation.verb, headers, body: type ? body : undefined });
  const raw = await answer.text();
  const took = Math.round(performance.now() - began);
  let shown = raw;
  try { shown = pretty(JSON.parse(raw)); } catch { /* NDJSON and empty answers are shown as they are */ }
  return [
    make("p", {}, make("span", { class: `status ${answer.ok ? "good" : "bad"}` }, `${answer.status} ${answer.statusText}`), ` · ${took} ms · trace ${answer.headers.get("x-trace-id") ?? "–"}`),
    make("pre", {}, shown),
    make("details", {}, make("summary", {}, "curl"), make("pre", {}, curl(operation.verb, path, text, headers, type ? body : ""))),
  ];
}

function curl(verb, path, query, headers, body) {
  const quote = (value) => `'${value.replaceAll("'", "'\\''")}'`;
  const target = quote(`${location.origin}${path}${query ? `?${query}` : ""}`);
  const lines = Object.entries(headers).map(([name, value]) => `  -H ${quote(`${name}: ${value}`)}`);
  return [`curl -X ${verb} ${target}`, ...lines, ...(body ? [`  --data-binary ${quote(body)}`] : [])].join(" \\\n");
}

// --- identity ---

function watchIdentity() {
  const form = document.querySelector("#identity form");
  const read = () => {
    page.identity = Object.fromEntries(new FormData(form));
    const names = { none: "公开 public", bearer: "会员或操作员 member, operator", signed: page.identity.key_id || "签名 signed" };
    document.getElementById("identity-label").textContent = `身份 Identity: ${names[page.identity.auth]}`;
  };
  form.addEventListener("input", (event) => {
    if (event.target.dataset.for) form.elements.auth.value = event.target.dataset.for;
    read();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const box = document.getElementById("identity");
    if (!box.contains(event.target)) box.open = false;
  });
}

async function start() {
  page.document = await (await fetch("/openapi.json")).json();
  for (const [path, verbs] of Object.entries(page.document.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      const text = `${verb} ${path} ${operation.operationId} ${operation.description} ${operation["x-audiences"].join(" ")}`.toLowerCase();
      page.operations.push({ ...operation, path, verb: verb.toUpperCase(), text });
    }
  }
  const search = document.getElementById("search");
  search.addEventListener("input", listOperations);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) { event.preventDefault(); search.focus(); }
  });
  addEventListener("hashchange", showOperation);
  watchIdentity();
  showOperation();
}

start().catch((error) => document.getElementById("detail").replaceChildren(make("p", { class: "status bad" }, `接口描述载入失败 Could not load the contract: ${error.message}`)));
