import type { Acknowledged } from '@headgate/contracts';
import type { Output } from '../settings/settings.js';
import { say, type Terminal } from '../terminal.js';
import { printJson, printLines } from './print.js';

/** Data of a write is where its fact stands (json) or the thing's name; the sentence is for people. */
export const acknowledge = (
  terminal: Terminal,
  output: Output,
  name: string,
  sentence: string,
  acknowledged: Acknowledged,
): void => {
  const { epoch, position, repeated } = acknowledged;
  const where = `position ${epoch}.${position}`;
  say(terminal, `${sentence} (${where}${repeated ? '; this command had been carried out before' : ''})`);
  if (output === 'json') printJson(terminal, acknowledged);
  else printLines(terminal, [name]);
};
