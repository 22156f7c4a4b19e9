// Looks at pages with Lighthouse, one after another, and prints one JSON line a run.
// Called by benchmarks/bench_lighthouse.py with what to do as JSON on its input.
import { readFileSync } from "node:fs";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import desktop from "lighthouse/core/config/desktop-config.js";
import puppeteer from "puppeteer-core";

const task = JSON.parse(readFileSync(0, "utf8"));
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const NUMBERS = [
  "first-contentful-paint",
  "largest-contentful-paint",
  "total-blocking-time",
  "cumulative-layout-shift",
  "speed-index",
  "total-byte-weight",
];

const chrome = await launch({
  chromePath: task.chrome,
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"],
});
// A trace of Chromium now and then lacks its beginning; such a visit says nothing.
const TRIES = 3;

async function visited(url, preset) {
  for (let left = TRIES - 1; ; left -= 1) {
    const result = await lighthouse(
      url,
      {
        port: chrome.port,
        output: "json",
        onlyCategories: CATEGORIES,
        skipAudits: task.skipAudits,
        disableFullPageScreenshot: true,
      },
      preset === "desktop" ? desktop : undefined,
    );
    if (!result.lhr.runtimeError || left === 0) return result;
  }
}

try {
  // Chromium takes no Cookie among extra headers. Lighthouse empties the cache before
  // every visit and leaves cookies alone.
  const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${chrome.port}` });
  if (task.cookie) await browser.setCookie(task.cookie);
  await browser.disconnect();
  for (const { page, url, preset } of task.visits) {
    const { lhr } = await visited(url, preset);
    if (lhr.runtimeError) throw new Error(`${url}: ${lhr.runtimeError.message}`);
    const failed = CATEGORIES.slice(1).flatMap((category) =>
      lhr.categories[category].auditRefs
        .filter(({ id, weight }) => weight > 0 && (lhr.audits[id].score ?? 1) < 1)
        .map(({ id }) => `${category}: ${id}`),
    );
    const hints = Object.values(lhr.audits)
      .filter((audit) => audit.details?.overallSavingsMs > 50 || audit.details?.overallSavingsBytes > 10_000)
      .map(({ id, displayValue }) => `${id}: ${displayValue}`);
    const line = {
      page,
      preset,
      shown: lhr.finalDisplayedUrl,
      scores: Object.fromEntries(
        CATEGORIES.map((name) => [name, Math.round(lhr.categories[name].score * 100)]),
      ),
      numbers: Object.fromEntries(NUMBERS.map((name) => [name, lhr.audits[name].numericValue])),
      failed,
      hints,
      speed: lhr.environment.benchmarkIndex,
      version: lhr.lighthouseVersion,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
} finally {
  await chrome.kill();
}
