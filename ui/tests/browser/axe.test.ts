// axe finds nothing on any screen, in any language and orientation. Text has a contrast of 7:1.
import axe from 'axe-core';
import type { RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { glasses, show } from './glass';
import { expectNothing } from './nothing';
import { languages, recorded, scenes } from './recordings';

const pages = glasses(axe.source);

const RULES: RunOptions = {
  resultTypes: ['violations'],
  // 7:1 contains 4.5:1.
  rules: { 'color-contrast-enhanced': { enabled: true }, 'color-contrast': { enabled: false } },
  preload: false,
  iframes: false,
};

const WAYS = [
  ['portrait', 'standard'],
  ['landscape', 'standard'],
  ['portrait', 'high-contrast'],
] as const;
// Words change no colour: the theme of high contrast is looked at in one language.
const COLOURS_IN = 'es';

/** What axe finds on the screen that stands. */
async function violations(page: Page): Promise<string[]> {
  return page.evaluate(async (rules) => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, rules);
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id} | ${node.target.join(' ')} | ${node.failureSummary}`));
  }, RULES);
}

describe.each(languages)('in %s', (lang) => {
  it.each(scenes(lang))('axe finds nothing in %s', async (scene) => {
    const view = recorded(lang, scene);
    const found: string[] = [];
    for (const [turn, theme] of WAYS.filter(([, theme]) => theme === 'standard' || lang === COLOURS_IN)) {
      await show(pages[turn], view, { theme });
      found.push(...(await violations(pages[turn])).map((each) => `${turn}, ${theme} | ${each}`));
    }
    expectNothing(found);
  });
});

describe('axe itself', () => {
  it('finds a text of low contrast put on a screen', async () => {
    await show(pages.portrait, recorded('es', 'home'));
    await pages.portrait.evaluate(() => {
      document.querySelector<HTMLElement>('main h1')!.style.color = '#8a8a8a';
    });
    const found = await violations(pages.portrait);
    expect(found.some((each) => each.startsWith('color-contrast-enhanced'))).toBe(true);
  });

  it('finds a button without a name', async () => {
    await show(pages.portrait, recorded('es', 'home'));
    await pages.portrait.evaluate(() => document.querySelector('main button')!.replaceChildren());
    expect((await violations(pages.portrait)).some((each) => each.startsWith('button-name'))).toBe(true);
  });
});
