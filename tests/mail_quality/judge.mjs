// Judge HTML files as mail programs and browsers would, without a network.
//
//   node judge.mjs support FILE…              what mail programs do not support (caniemail)
//   node judge.mjs browser CHROMIUM FILE…     accessibility (axe), width, requests, in light and dark at 360 and 700 px
//
// Prints one JSON object: the findings of each file.  Judges nothing itself: tests/mail_quality/judges.py says what counts.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const CLIENTS = ['gmail.*', 'outlook.*', 'apple-mail.*'];
const PAGE_RULES = ['region', 'landmark-one-main', 'page-has-heading-one']; // of pages, not of mails

async function support(files) {
  const { caniemail } = await import('caniemail');
  const found = {};
  for (const file of files) {
    const { issues } = caniemail({ clients: CLIENTS, html: readFileSync(file, 'utf8') });
    found[file] = [...issues.errors].flatMap(([client, list]) => list.map((issue) => [client, issue.title]));
  }
  return found;
}

async function browser([executablePath, ...files]) {
  const { chromium } = await import('playwright-core');
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const started = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const found = {};
  try {
    for (const file of files) {
      found[file] = [];
      for (const colorScheme of ['light', 'dark']) {
        for (const width of [360, 700]) {
          const page = await started.newPage({ colorScheme, viewport: { width, height: 900 } });
          const url = pathToFileURL(file).href;
          const where = `${colorScheme}, ${width} px`;
          page.on('request', (request) => request.url() !== url && found[file].push(`${where}: asks for ${request.url()}`));
          await page.goto(url);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          if (wide > width) found[file].push(`${where}: ${wide} px wide`);
          await page.evaluate(axe);
          const rules = Object.fromEntries(PAGE_RULES.map((name) => [name, { enabled: false }]));
          const { violations } = await page.evaluate((options) => globalThis.axe.run(document, options), { rules });
          for (const one of violations) found[file].push(`${where}: ${one.id}: ${one.nodes[0].target} (${one.help})`);
          if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${file.split('/').pop()}.${colorScheme}.${width}.png`, fullPage: true });
          await page.close();
        }
      }
    }
  } finally {
    await started.close();
  }
  return found;
}

const [task, ...rest] = process.argv.slice(2);
console.log(JSON.stringify(await (task === 'support' ? support(rest) : browser(rest))));
