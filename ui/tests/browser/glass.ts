// A terminal's glass in Debian's Chromium.
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, inject } from 'vitest';
import { pixels, type Options } from '../../src/preview/options';
import type { Looks } from '../../src/preview/screen';
import type { View } from '../../src/wire';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** One glass for each orientation. */
export type Glasses = Record<Options['turn'], Page>;

const QUIET = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
// A frame comes as soon as it is painted, so that nothing waits for a screen that is not there.
const FAST = ['--disable-gpu', '--disable-frame-rate-limit', '--disable-gpu-vsync'];

async function glass(browser: Browser, turn: Options['turn'], scripts: string[]): Promise<Page> {
  const { wide, high } = pixels({ turn });
  const context = await browser.newContext({ viewport: { width: wide, height: high }, deviceScaleFactor: 1 });
  for (const content of scripts) await context.addInitScript({ content });
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(`${inject('address')}screen.html`);
  await page.waitForFunction(() => 'show' in window);
  return page;
}

/** Opens the glasses for the tests of a file, with these scripts in each page, and closes them after the last. */
export function glasses(...scripts: string[]): Glasses {
  const opened = {} as Glasses;
  let browser: Browser | undefined;
  beforeAll(async () => {
    // Chromium's own sandbox does not work for root.
    const chromiumSandbox = process.getuid?.() !== 0;
    browser = await chromium.launch({ executablePath: CHROMIUM, chromiumSandbox, args: [...QUIET, ...FAST] });
    for (const turn of ['portrait', 'landscape'] as const) opened[turn] = await glass(browser, turn, [inject('measures'), ...scripts]);
  });
  afterAll(() => browser?.close());
  return opened;
}

/** The usual looks, with these changes. */
export function all(looks: Partial<Looks>): Looks {
  return { letters: 'normal', theme: 'standard', glass: '27', still: true, ...looks };
}

/** Shows a view and waits until it stands. */
export async function show(page: Page, view: View, looks: Partial<Looks> = {}): Promise<void> {
  await page.evaluate(([view, looks]) => window.show(view, looks), [view, all(looks)] as const);
}
