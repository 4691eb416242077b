// Opens every page of a report in headless Chromium: node check.mjs <site> <chromium> [<directory for screenshots>]
//
// A page must load without a word on the console and without a request that fails, every link must lead somewhere, and
// axe must find nothing serious. Screenshots are for people.
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const require = createRequire(resolve(process.env.SITE_MODULES ?? ".", "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [site, program, shots] = process.argv.slice(2);
const root = resolve(site);
const pages = readdirSync(root, { recursive: true }).filter((name) => name.endsWith(".html")).sort();
const wrong = [];
const links = new Map();
const ids = new Map();

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
for (const scheme of ["light", "dark"]) {
  for (const [size, width] of [["desktop", 1280], ["phone", 390]]) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
    const page = await context.newPage();
    let here = "";
    page.on("console", (message) => wrong.push(`${here}: console: ${message.text()}`));
    page.on("pageerror", (error) => wrong.push(`${here}: error: ${error}`));
    page.on("requestfailed", (request) => wrong.push(`${here}: request failed: ${request.url()}`));
    page.on("request", (request) => {
      if (!request.url().startsWith(pathToFileURL(root).href)) wrong.push(`${here}: leaves the site: ${request.url()}`);
    });
    for (const name of pages) {
      here = `${name} (${size}, ${scheme})`;
      await page.goto(pathToFileURL(join(root, name)).href);
      const seen = await page.evaluate(() => ({
        ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
        links: [...document.querySelectorAll("a[href]")].map((link) => link.href),
        scripts: document.querySelectorAll("script, iframe, object, embed, form, img, [style], [onclick], [onerror]").length,
        titles: document.querySelectorAll("h1").length,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        styled: getComputedStyle(document.body).marginTop === "0px",
      }));
      ids.set(name, new Set(seen.ids));
      links.set(name, seen.links);
      if (seen.ids.length !== new Set(seen.ids).size) wrong.push(`${here}: an id stands there twice`);
      if (seen.scripts) wrong.push(`${here}: holds ${seen.scripts} elements that a report does not have`);
      if (seen.titles !== 1) wrong.push(`${here}: ${seen.titles} titles`);
      if (seen.overflow > 0) wrong.push(`${here}: ${seen.overflow} px wider than the screen`);
      if (!seen.styled) wrong.push(`${here}: its style is not applied`);
      await page.evaluate(axe);
      const found = await page.evaluate(() => axe.run(document, { preload: false }));
      for (const { id, impact, nodes } of found.violations) {
        if (["serious", "critical"].includes(impact)) wrong.push(`${here}: ${id}: ${nodes[0].html}`);
      }
      if (shots && (scheme === "light" || name === "index.html")) {
        mkdirSync(shots, { recursive: true });
        await page.screenshot({ path: join(shots, `${name.replaceAll("/", "_")}-${size}-${scheme}.png`), fullPage: true });
      }
    }
    await context.close();
  }
}
await browser.close();

for (const [name, targets] of links) {
  for (const target of targets) {
    const url = new URL(target);
    const file = fileURLToPath(new URL(url.pathname, "file:///"));
    const fragment = decodeURIComponent(url.hash.slice(1));
    if (!existsSync(file)) wrong.push(`${name}: leads to nothing: ${target}`);
    else if (fragment && !ids.get(relative(root, file))?.has(fragment)) wrong.push(`${name}: leads to no part: ${target}`);
  }
}
for (const line of wrong.slice(0, 50)) console.log(line);
console.log(`${pages.length} pages, each at two widths in light and dark: ${wrong.length} things wrong`);
process.exit(wrong.length === 0 && pages.length > 0 ? 0 : 1);
