// Opens the dashboard in Chromium as a person does, and tells what it showed.
// In: one line of JSON on standard input: address, dashboard, user, password, picture. Out: one line of JSON.
// Needs the package playwright-core in the folder NODE_PATH names, and Chromium.
import { createRequire } from "node:module";
import fs from "node:fs";
const { chromium } = createRequire(import.meta.url)("playwright-core");

const task = JSON.parse(fs.readFileSync(0, "utf-8"));
const browser = await chromium.launch({
  executablePath: task.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, locale: "zh-CN" });
page.setDefaultTimeout(180000);
const asked = [], refused = [], answers = [];
page.on("request", (request) => {
  if (!request.url().startsWith(task.address) && /^https?:/.test(request.url())) asked.push(request.url());
});
// The policy of the pages stops a request before it is made; Chromium says so on the console.
page.on("console", (message) => { if (/Content Security Policy/.test(message.text())) refused.push(message.text()); });
page.on("response", async (response) => {
  if (!response.url().includes("/api/v1/chart/data")) return;
  const body = await response.json().catch(() => ({}));
  const form = new URL(response.url()).searchParams.get("form_data");
  answers.push({ status: response.status(), chart: form ? JSON.parse(form).slice_id : null,
    rows: (body.result ?? []).map((one) => one.rowcount), message: body.message ?? null });
});
await page.goto(`${task.address}/login/`);
await page.fill("input#username", task.user);
await page.fill("input#password", task.password);
await page.click("button[type=submit]");
await page.waitForURL((url) => !url.pathname.startsWith("/login"));
await page.goto(`${task.dashboard}?standalone=${task.standalone ?? 0}`);
await page.waitForSelector(".dashboard-component-chart-holder");
const charts = await page.locator(".dashboard-component-chart-holder").count();
// Charts are drawn when they come into view.
let height = 0;
for (let round = 0; round < 30; round += 1) {
  height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: 1440, height: Math.min(Math.max(height, 1000), 6000) });
  await page.waitForTimeout(1000);
  const busy = await page.locator(".dashboard-component-chart-holder .loading, [aria-label=Loading], .ant-spin-spinning").count();
  if (round > 5 && busy === 0 && answers.length >= charts - (task.texts ?? 1)) break;
}
await page.waitForTimeout(1500);
const text = await page.evaluate(() => document.body.innerText);
const errors = await page.locator(".ant-alert-error, [data-test=alert-error], .error-boundary").allInnerTexts();
const empty = await page.locator("text=No results were returned for this query").count();
const bottom = await page.evaluate(() => Math.max(...[...document.querySelectorAll(".dashboard-component-chart-holder")]
  .map((node) => node.getBoundingClientRect().bottom + window.scrollY)));
await page.setViewportSize({ width: 1440, height: Math.ceil(bottom) + 24 });
await page.waitForTimeout(3000);
await page.screenshot({ path: task.picture });
console.log(JSON.stringify({ charts, height, answers, errors, empty, asked, refused, text }));
await browser.close();
