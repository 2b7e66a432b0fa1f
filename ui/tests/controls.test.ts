import { fireEvent } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { loosest, TIGHTEST } from '../src/fit';
import { widthOf } from '../src/width';
import type { Overlay, Screen, View } from '../src/wire';
import { kiosk, names, settled, view } from './recorder';

type Of<T extends { kind: string }, K extends T['kind']> = Extract<T, { kind: K }>;

function screenOf<K extends Screen['kind']>(shown: View, kind: K): Of<Screen, K> {
  if (shown.screen.kind !== kind) throw new Error(`not a ${kind}: ${shown.screen.kind}`);
  return shown.screen as Of<Screen, K>;
}

function choiceOf(shown: View): Of<Overlay, 'choice'> {
  if (shown.overlay?.kind !== 'choice') throw new Error(`no choice: ${shown.overlay?.kind}`);
  return shown.overlay;
}

describe('the tools', () => {
  const HOME: Record<string, string> = { finish: '1', back: '1', language: '2', looks: '3', cover: '4', help: '5' };

  it.each(names)('of %s lie each in its own place', async (name) => {
    const shown = view(name);
    const { container } = await kiosk(shown);
    const places = Object.fromEntries(
      [...container.querySelectorAll<HTMLElement>('footer button')].map((tool) => [tool.dataset.testid, tool.parentElement?.dataset.place]),
    );
    expect(places).toEqual(Object.fromEntries(shown.tools.map(({ id }) => [id, HOME[id]])));
  });

  it('leave an empty place for what makes no sense', async () => {
    const { container } = await kiosk(view('attract'));
    const places = [...container.querySelectorAll<HTMLElement>('footer [data-place]')].map((place) => place.dataset.place);
    expect(places).toEqual(['3', '5']);
  });
});

describe('a choice laid over the screen', () => {
  it('shows what is chosen, what can be chosen, and the way back', async () => {
    const shown = view('home-looks');
    const choice = choiceOf(shown);
    const { getByRole, getByTestId } = await kiosk(shown);
    expect(getByRole('dialog').querySelector('[data-heading]')?.textContent).toBe(choice.heading.text);
    for (const { id, label, selected } of choice.items) {
      expect(getByTestId(id).textContent).toContain(label.text);
      expect(getByTestId(id).getAttribute('aria-pressed')).toBe(String(selected));
    }
    expect(getByRole('dialog').querySelectorAll('button')).toHaveLength(choice.items.length + choice.actions.length);
  });

  it('sends what was chosen', async () => {
    const { getByTestId, sent } = await kiosk(view('home-looks'));
    await settled();
    await fireEvent.click(getByTestId('contrast'));
    expect(sent).toEqual([{ do: 'toggle-contrast' }]);
  });

  it('names each language in itself, in its own tongue', async () => {
    const shown = view('home-languages');
    const { getByTestId } = await kiosk(shown);
    const spoken = choiceOf(shown).items.map(({ id }) => getByTestId(id).querySelector('.label')?.getAttribute('lang'));
    expect(spoken).toEqual(choiceOf(shown).items.map(({ action }) => (action.do === 'select-language' ? action.lang : '')));
    expect(new Set(spoken).size).toBeGreaterThan(1);
  });
});

describe('the ruler', () => {
  it.each([3.21, 5.56])('draws its bar by the scale being tried, not by the %s pixels a millimetre of now', async (pxPerMm) => {
    const shown = view('service-ruler');
    const { lengthMm, scaleHundredths } = screenOf(shown, 'ruler');
    const { getByTestId } = await kiosk(shown, { pxPerMm });
    const bar = getByTestId('bar');
    expect(Number(bar.getAttribute('width'))).toBe((lengthMm * scaleHundredths) / 100);
    expect(bar.getAttribute('viewBox')).toBe(`0 0 ${(lengthMm * scaleHundredths) / 100} 96`);
  });

  it('has a mark for every centimetre and an end on both sides', async () => {
    const shown = view('service-ruler');
    const { getByTestId } = await kiosk(shown);
    expect(getByTestId('bar').querySelectorAll('.mark')).toHaveLength(screenOf(shown, 'ruler').lengthMm / 10 + 1);
    expect(getByTestId('bar').querySelectorAll('.end')).toHaveLength(1);
  });

  it('follows the scale', async () => {
    const shown = view('service-ruler');
    const { getByTestId, show } = await kiosk(shown);
    const ruler = screenOf(shown, 'ruler');
    await show({ ...shown, screen: { ...ruler, scaleHundredths: ruler.scaleHundredths + 1 } });
    expect(Number(getByTestId('bar').getAttribute('width'))).toBeCloseTo((ruler.lengthMm * (ruler.scaleHundredths + 1)) / 100);
  });
});

describe('a farewell', () => {
  it('calls out only when something is being forgotten', async () => {
    const { container, show } = await kiosk(view('farewell'));
    expect(container.querySelector('.urgent')).toBeNull();
    await show(view('farewell-forgotten'));
    expect(container.querySelector('.urgent')).not.toBeNull();
  });
});

describe('a terminal that serves nobody', () => {
  it('says where to go, the code, and to the technician what is wrong', async () => {
    const shown = view('closed-out-of-order-s-08');
    const { points, code, detail } = screenOf(shown, 'closed');
    const { container } = await kiosk(shown);
    expect([...container.querySelectorAll('main li')].map((point) => point.textContent?.trim())).toEqual(points.map(({ text }) => text.text));
    expect(points.length).toBeGreaterThan(0);
    expect(container.querySelector('main')?.textContent).toContain(code.text);
    expect(detail && container.querySelector('main')?.textContent).toContain(detail?.text);
  });
});

describe("a technician's screen", () => {
  it('bears a band that no citizen sees', async () => {
    const { container, show } = await kiosk(view('service-menu'));
    expect(container.querySelector('header.maintenance')).not.toBeNull();
    await show(view('home'));
    expect(container.querySelector('header.maintenance')).toBeNull();
  });
});

describe('the PIN', () => {
  it('has a way out for who has forgotten it', async () => {
    const shown = view('pin');
    const { getByTestId, sent } = await kiosk(shown);
    const [forgotten] = screenOf(shown, 'pin').actions;
    await settled();
    await fireEvent.click(getByTestId(forgotten!.id));
    expect(sent).toEqual([forgotten!.action]);
  });
});

describe('fitting a screen to its glass', () => {
  const asked = (from: number, fitsFrom: number) => {
    const questions: number[] = [];
    const found = loosest((step) => {
      questions.push(step);
      return step >= fitsFrom;
    }, from);
    return { found, questions };
  };

  it.each(Array.from({ length: TIGHTEST + 1 }, (_, step) => step))('finds step %i', (step) => {
    expect(asked(0, step).found).toBe(step);
  });

  it('ends at the tightest where nothing fits', () => {
    expect(asked(0, TIGHTEST + 1).found).toBe(TIGHTEST);
    expect(asked(TIGHTEST, TIGHTEST + 1).found).toBe(TIGHTEST);
  });

  it('asks once where it fits as it stands, and five times at most', () => {
    expect(asked(0, 0).questions).toEqual([0]);
    expect(asked(3, 2).questions).toEqual([3]);
    for (let step = 0; step <= TIGHTEST; step += 1) expect(asked(0, step).questions.length).toBeLessThanOrEqual(5);
  });
});

describe('the widest word of a label', () => {
  it.each([
    ['20 €', 5],
    ['Llingua', 6.5],
    ['Documentos', 11],
    ['Empadronamiento, con PIN', 16],
    ['Donaudampfschifffahrtsgesellschaft', 26],
  ])('of %s takes %d widths of an a', (label, widths) => {
    expect(widthOf(label)).toBe(widths);
  });

  it('is as wide with accents as without', () => {
    expect(widthOf('Ñandú')).toBe(widthOf('Nandu'));
  });
});
