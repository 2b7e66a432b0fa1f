import type { Action, Painting, Setup } from './wire';

/** What the screens need of whatever drives them: the shell in a terminal, recorded views at a desk, a recorder in tests. */
export interface Link {
  /** Asks for the setup; from then on every view goes to `paint`. */
  open(paint: (painting: Painting) => void): Promise<Setup>;
  /** Sends one touch. */
  act(action: Action): void;
  /** Says that the view of this number is on the glass. */
  painted(seq: number): void;
}
