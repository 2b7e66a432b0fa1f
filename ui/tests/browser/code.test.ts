// The receipt's QR code, as it stands on the glass, is what a telephone reads.
import { describe, expect, it } from 'vitest';
import { GLASSES, LETTERS, THEMES, TURNS } from '../../src/preview/options';
import { glasses, show } from './glass';
import { languages, recorded } from './recordings';

const pages = glasses();

/** In millimetres. Telephones read a code from about ten times its width: one of 85 such modules from beyond an arm's length. */
const MODULE_MIN_MM = 0.85;

describe.each(languages.filter((lang) => lang !== 'en-XA'))('in %s', (lang) => {
  const view = recorded(lang, 'receipt-code');
  const { screen } = view;
  if (screen.kind !== 'receipt') throw new Error('not a receipt');
  const { lines, code } = screen;
  const looks = Object.keys(GLASSES).flatMap((glass) =>
    TURNS.flatMap((turn) => THEMES.map((theme, index) => ({ glass, turn, theme, letters: LETTERS[index] }))),
  );

  it.each(looks)('it is read on $glass inches, $turn, $theme, $letters letters', async ({ turn, ...look }) => {
    const page = pages[turn];
    await show(page, view, look);
    const png = (await page.screenshot()).toString('base64');
    expect(await page.evaluate((picture) => window.measures.scan(picture), png)).toBe(lines.map(({ text }) => text).join('\n'));
    const box = (await page.getByTestId('code').boundingBox())!;
    expect(box.width % code.side, 'every module has as many whole pixels').toBe(0);
    expect(box.width / code.side / GLASSES[look.glass]!).toBeGreaterThanOrEqual(MODULE_MIN_MM);
  });
});

describe('the reader itself', () => {
  it('finds nothing where there is no code', async () => {
    await show(pages.portrait, recorded('es', 'home'));
    const png = (await pages.portrait.screenshot()).toString('base64');
    expect(await pages.portrait.evaluate((picture) => window.measures.scan(picture), png)).toBeUndefined();
  });
});
