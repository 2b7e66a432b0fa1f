// axe finds nothing: every screen, language and orientation, and the theme of high contrast. Text has a contrast of 7:1.
import axe from 'axe-core';
import type { RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { glasses, show } from './glass';
import { expectNothing } from './nothing';
import { languages, recorded, scenes } from './recordings';
import { THEMES, TURNS } from '../../src/preview/options';

const pages = glasses(axe.source);

const RULES: RunOptions = {
  resultTypes: ['violations'],
  rules: { 'color-contrast-enhanced': { enabled: true } },
};

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
    for (const turn of TURNS) {
      for (const theme of THEMES) {
        await show(pages[turn], view, { theme });
        found.push(...(await violations(pages[turn])).map((each) => `${turn}, ${theme} | ${each}`));
      }
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
