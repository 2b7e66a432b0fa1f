// The measures themselves: each spoils a good screen in one way, and must be found, by its name and nothing else.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { limitsOf, inspect } from './geometry';
import { glasses, show } from './glass';
import type { Finding } from './page';
import { recorded } from './recordings';

const pages = glasses();
const VIEW = recorded('es', 'documents');

async function spoiled(page: Page, spoil: () => void): Promise<Finding[]> {
  await show(page, VIEW);
  const before = await inspect(page, limitsOf(VIEW, 'portrait', {}));
  expect(before.findings).toEqual([]);
  await page.evaluate(spoil);
  return (await inspect(page, limitsOf(VIEW, 'portrait', {}))).findings;
}

const CASES: [string, Finding['check'], () => void][] = [
  [
    'a button of less than 16 mm',
    'size',
    () => {
      const style = document.querySelector<HTMLElement>('main button')!.style;
      Object.assign(style, { inlineSize: '40px', blockSize: '40px', minInlineSize: '0', minBlockSize: '0', overflow: 'hidden' });
    },
  ],
  [
    'two buttons closer than 3 mm',
    'gap',
    () => (document.querySelector<HTMLElement>('footer button')!.style.transform = 'translateX(12px)'),
  ],
  [
    'a button above the reach of a person who sits',
    'reach',
    () => {
      const style = document.querySelector<HTMLElement>('footer button')!.style;
      Object.assign(style, { position: 'fixed', top: '400px', left: '60px' });
    },
  ],
  [
    'a word cut off by its frame',
    'clip',
    () => {
      const style = document.querySelector<HTMLElement>('main h1')!.style;
      Object.assign(style, { overflow: 'hidden', blockSize: '20px' });
    },
  ],
  [
    'a word that may end in dots',
    'clip',
    () => (document.querySelector<HTMLElement>('main h1 span')!.style.textOverflow = 'ellipsis'),
  ],
  [
    'a word on another',
    'overlap',
    () => {
      const heading = document.querySelector('main h1')!;
      const copy = heading.cloneNode(true) as HTMLElement;
      Object.assign(copy.style, { position: 'absolute' });
      heading.before(copy);
    },
  ],
  [
    'something laid over a button',
    'covered',
    () => {
      const cover = document.createElement('div');
      Object.assign(cover.style, { position: 'fixed', inset: '60% 0 0', background: 'black', zIndex: '9' });
      document.querySelector('.kiosk')!.append(cover);
    },
  ],
  [
    'letters below 7 mm',
    'letters',
    () => (document.querySelector<HTMLElement>('main h1 span')!.style.fontSize = '20px'),
  ],
];

it.each(CASES)('find %s', async (_, check, spoil) => {
  const found = await spoiled(pages.portrait, spoil);
  expect(found.map((finding) => finding.check)).toContain(check);
});

it('find a main action of less than 20 mm that would do for another', async () => {
  const view = recorded('es', 'topped-up');
  await show(pages.portrait, view);
  await pages.portrait.evaluate(() => {
    const style = document.querySelector<HTMLElement>('main button')!.style;
    Object.assign(style, { blockSize: '55px', minBlockSize: '0', padding: '0' });
  });
  const { findings } = await inspect(pages.portrait, limitsOf(view, 'portrait', {}));
  expect(findings.map(({ found }) => found).join()).toContain('must be 20 mm');
});

it('find letters too small for those who chose large ones', async () => {
  await show(pages.portrait, VIEW);
  const { findings } = await inspect(pages.portrait, limitsOf(VIEW, 'portrait', { letters: 'large' }));
  expect(findings.map(({ found }) => found).join()).toContain('must be 9.8 mm');
});
