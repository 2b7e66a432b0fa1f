import { fireEvent } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import { SAME_BUTTON_MS } from '../src/press';
import { kiosk, names, settled, twoFrames, view } from './recorder';
import type { View } from '../src/wire';

const buttonsOf = (shown: View) => JSON.stringify(shown.screen).match(/"id":/g)?.length ?? 0;

describe('every recorded view', () => {
  it.each(names)('%s shows its heading, its tools and each of its buttons', async (name) => {
    const shown = view(name);
    const { container, root } = await kiosk(shown);
    expect(root().dataset.screen).toBe(shown.screen.kind);
    expect(root().dataset.seq).toBe('1');
    expect(container.querySelector('main [data-heading]')?.textContent).toBe(shown.screen.heading.text);
    expect(container.querySelectorAll('main button')).toHaveLength(buttonsOf(shown));
    expect(container.querySelectorAll('footer button')).toHaveLength(shown.tools.length);
    expect(container.querySelectorAll('button:not([data-testid])')).toHaveLength(0);
    expect(document.documentElement.lang).toBe(shown.lang);
  });

  it.each(names)('%s carries no style attribute, which the content security policy would refuse', async (name) => {
    const { container } = await kiosk(view(name));
    expect(container.querySelectorAll('[style]')).toHaveLength(0);
  });
});

describe('a touch', () => {
  it('sends the action its button carries', async () => {
    const { getByTestId, sent } = await kiosk(view('home'));
    await settled();
    await fireEvent.click(getByTestId('documents'));
    expect(sent).toEqual([{ do: 'documents' }]);
  });

  it('sends an amount in cents', async () => {
    const { getByTestId, sent } = await kiosk(view('amount'));
    await settled();
    await fireEvent.click(getByTestId('amount-5000'));
    expect(sent).toEqual([{ do: 'choose-amount', cents: 5000 }]);
  });

  it('does nothing on a button that is off', async () => {
    const { getByTestId, sent } = await kiosk(view('pin'));
    await fireEvent.click(getByTestId('pin-confirm'));
    expect(sent).toEqual([]);
  });

  it('counts once when a hand trembles, and again once it has rested', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(10_000);
    const { getByTestId, sent } = await kiosk(view('pin'));
    await settled();
    await fireEvent.click(getByTestId('digit-7'));
    now.mockReturnValue(10_000 + SAME_BUTTON_MS - 1);
    await fireEvent.click(getByTestId('digit-7'));
    expect(sent).toHaveLength(1);
    now.mockReturnValue(10_000 + SAME_BUTTON_MS);
    await fireEvent.click(getByTestId('digit-7'));
    expect(sent).toHaveLength(2);
  });

  it('of a trembling hand does not hit what has just come under the finger', async () => {
    const { getByTestId, sent } = await kiosk(view('home'));
    await fireEvent.click(getByTestId('documents'));
    expect(sent).toEqual([]);
    await settled();
    await fireEvent.click(getByTestId('documents'));
    expect(sent).toHaveLength(1);
  });

  it('counts at once on another button', async () => {
    vi.spyOn(performance, 'now').mockReturnValue(10_000);
    const { getByTestId, sent } = await kiosk(view('pin'));
    await settled();
    await fireEvent.click(getByTestId('digit-7'));
    await fireEvent.click(getByTestId('digit-8'));
    expect(sent).toEqual([
      { do: 'pin-digit', digit: 7 },
      { do: 'pin-digit', digit: 8 },
    ]);
  });

  it.each(['contextmenu', 'selectstart', 'dragstart'])('never brings up %s', async (kind) => {
    const { root } = await kiosk(view('home'));
    const event = new Event(kind, { bubbles: true, cancelable: true });
    root().dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
  });

  it('is not repeated by a key held down', async () => {
    const { getByTestId } = await kiosk(view('home'));
    const held = new KeyboardEvent('keydown', { key: 'Enter', repeat: true, bubbles: true, cancelable: true });
    getByTestId('top-up').dispatchEvent(held);
    expect(held.defaultPrevented).toBe(true);
  });
});

describe('the heartbeat', () => {
  it('names a view only after two frames', async () => {
    const { painted } = await kiosk(view('home'));
    expect(painted).toEqual([]);
    await twoFrames();
    expect(painted).toEqual([1]);
  });

  it('follows each repaint of the same screen', async () => {
    const { painted, show } = await kiosk(view('pin'));
    await twoFrames();
    await show(view('pin'));
    await twoFrames();
    expect(painted).toEqual([1, 2]);
  });

  it('never names a view that was replaced before it was on the glass', async () => {
    const { painted, show } = await kiosk(view('home'));
    await show(view('amount'));
    await twoFrames();
    expect(painted).toEqual([2]);
  });
});

describe('the focus', () => {
  it('goes to the heading of a new screen', async () => {
    const { container, show } = await kiosk(view('home'));
    await show(view('amount'));
    expect(document.activeElement).toBe(container.querySelector('main [data-heading]'));
  });

  it('stays where it is while the same screen is repainted', async () => {
    const { getByTestId, show } = await kiosk(view('pin'));
    getByTestId('digit-3').focus();
    await show(view('pin-full'));
    expect(document.activeElement).toBe(getByTestId('digit-3'));
  });

  it('goes into an overlay, and back to the screen when it closes', async () => {
    const { container, show } = await kiosk(view('amount'));
    await show(view('home-help'));
    expect(document.activeElement).toBe(container.querySelector('[role=dialog] [data-heading]'));
    await show(view('amount'));
    expect(document.activeElement).toBe(container.querySelector('main [data-heading]'));
  });

  it('stays while the seconds of a warning run', async () => {
    const { getByTestId, show } = await kiosk(view('home-time-warning'));
    getByTestId('stay').focus();
    const later = view('home-time-warning');
    if (later.overlay?.kind === 'time-warning') later.overlay.seconds = 26;
    await show(later);
    expect(document.activeElement).toBe(getByTestId('stay'));
  });
});

describe('the tactile keypad', () => {
  const key = (name: string) => fireEvent.keyDown(document.activeElement!, { key: name });

  it('walks through everything that can be touched, from the heading on and round again', async () => {
    const { container } = await kiosk(view('home'));
    const all = [...container.querySelectorAll('button')];
    const seen = new Set<Element | null>();
    for (const _ of all) {
      await key('ArrowDown');
      seen.add(document.activeElement);
    }
    expect(seen).toEqual(new Set(all));
    await key('ArrowDown');
    expect(document.activeElement).toBe(all[0]);
    await key('ArrowUp');
    expect(document.activeElement).toBe(all.at(-1));
  });

  it('stays within an overlay', async () => {
    const { container } = await kiosk(view('home-time-warning'));
    for (let press = 0; press < 5; press += 1) {
      await key('ArrowRight');
      expect(container.querySelector('[role=dialog]')?.contains(document.activeElement)).toBe(true);
    }
  });

  it('enters digits and takes the last one back', async () => {
    const { sent } = await kiosk(view('pin'));
    await settled();
    await key('4');
    await key('Backspace');
    expect(sent).toEqual([{ do: 'pin-digit', digit: 4 }, { do: 'pin-erase' }]);
  });

  it('has no digits where the screen has none', async () => {
    const { sent } = await kiosk(view('amount'));
    await key('5');
    expect(sent).toEqual([]);
  });
});

describe('an overlay', () => {
  it('makes everything below it inert, and nothing else', async () => {
    const { container, show } = await kiosk(view('home-time-warning'));
    const below = container.querySelector<HTMLElement>('.frame')!;
    expect(below.inert).toBe(true);
    expect(container.querySelector('[role=dialog]')?.closest('[inert]')).toBeNull();
    await show(view('home'));
    expect(container.querySelector<HTMLElement>('.frame')!.inert).toBe(false);
  });
});

describe('what is private', () => {
  it('is marked wherever it is shown', async () => {
    const { container } = await kiosk(view('home'));
    const marked = [...container.querySelectorAll('[data-private]')].map((element) => element.textContent);
    expect(marked).toContain('3,50\u00a0€');
  });

  it('is nowhere in the page once the next view has come', async () => {
    const { show } = await kiosk(view('home'));
    await show(view('attract'));
    expect(document.documentElement.outerHTML).not.toContain('3,50');
    expect(localStorage).toHaveLength(0);
    expect(sessionStorage).toHaveLength(0);
    expect(document.cookie).toBe('');
  });

  it('never reaches the live region while the screen is covered', async () => {
    const { container } = await kiosk({ ...view('amount'), overlay: view('home-covered').overlay });
    expect(container.querySelector('[role=status]')?.textContent).not.toContain('23,50');
  });

  it('keeps PIN digits out of the page: only how many were entered', async () => {
    const { getByRole } = await kiosk(view('pin'));
    const places = getByRole('progressbar');
    expect(places.getAttribute('aria-valuenow')).toBe('1');
    expect(places.textContent).toBe('');
  });
});

describe('a change that moves no focus', () => {
  it('is told by the polite live region', async () => {
    const { container, show } = await kiosk(view('pin'));
    await show(view('pin-wrong'));
    const status = container.querySelector('[role=status]');
    expect(status?.getAttribute('aria-live')).toBe('polite');
    expect(status?.textContent).toContain('Ese PIN no es correcto.');
  });
});

describe('the page', () => {
  it('takes millimetres from the setup, and theme and letters from the view', async () => {
    await kiosk(view('home', { theme: 'high-contrast', largeText: true }), { pxPerMm: 5.56 });
    const page = document.documentElement;
    expect(page.style.getPropertyValue('--px-per-mm')).toBe('5.56');
    expect(page.dataset.theme).toBe('high-contrast');
    expect(page.dataset.letters).toBe('large');
  });

  it.each([
    ['es', 'ltr'],
    ['ar', 'rtl'],
    ['ast', 'ltr'],
  ])('reads %s as %s', async (lang, dir) => {
    await kiosk(view('home', { lang }));
    expect(document.documentElement.dir).toBe(dir);
  });

  it('shows the emblem as an image, where nothing in it can run', async () => {
    const { container } = await kiosk(view('home'), { emblem: '<svg onload="alert(1)"/>' });
    expect(container.querySelector('[onload]')).toBeNull();
    expect(container.querySelector('header img')?.getAttribute('src')).toMatch(/^data:image\/svg\+xml,/);
  });
});

describe('the counter', () => {
  it('counts through the values once in under 600 ms and ends at the value itself', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('matchMedia', () => ({ matches: false }));
    const { container, show } = await kiosk(view('topped-up'), { still: false });
    const value = () => container.querySelector('.figure .value')?.textContent;
    expect(value()).toBe('3,50\u00a0€');
    await vi.advanceTimersByTimeAsync(599);
    await tick();
    expect(value()).toBe('23,50\u00a0€');
    await show(view('topped-up'));
    expect(value()).toBe('23,50\u00a0€');
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('does not move on a terminal where nothing moves', async () => {
    const { container } = await kiosk(view('topped-up'), { still: true });
    expect(container.querySelector('.figure .value')?.textContent).toBe('23,50\u00a0€');
  });
});
