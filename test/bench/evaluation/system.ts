import { type CaseName, KEYS, type Subject } from './subject.js';

/** One library, ready to be asked. `C` is its own form of a context, made before anything is timed. */
export interface System<C = unknown> {
  /** As the rows name it. */
  readonly system: string;
  readonly version: string;
  readonly contextOf: (subject: Subject) => C;
  readonly ask: Readonly<Record<CaseName, Ask<C>>>;
  /** False for a system that evaluates nothing, so that what it answers is not looked at. */
  readonly evaluates?: boolean;
  readonly close?: () => unknown;
}

export type Ask<C> =
  | { readonly sync: (context: C) => boolean }
  | { readonly async: (context: C) => Promise<boolean> };

/** The same question for each of the three flags, by key. */
export const askEach = <T>(make: (key: string) => T): Readonly<Record<CaseName, T>> => ({
  static: make(KEYS.static),
  split: make(KEYS.split),
  rules: make(KEYS.rules),
});
