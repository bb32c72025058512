import type { FlagFile } from './flag-file.js';
import { guessSource } from './guess-source.js';
import { parseFlagFile } from './parse-flag-file.js';
import { soundPart } from './sound-part.js';

const flag = (rest: string): string => `{state: ENABLED, variants: {on: true, off: false}, ${rest}}`;
const fileOf = (flags: string): FlagFile =>
  parseFlagFile(`schema: headgate.flags.v1
segments:
  fine: {when: {var: beta}}
  broken.name: {when: {like: [1]}}
flags:
${flags}`).file as FlagFile;

describe('the sound part of a file', () => {
  it('leaves out what hangs on what is left out', () => {
    const { file, notCarried } = soundPart(
      fileOf(`  good: ${flag('rules: [{when: {$ref: fine}, serve: {variant: on}}]')}
  uses: ${flag('rules: [{when: {$ref: broken.name}, serve: {variant: on}}]')}
  after.uses: ${flag('prerequisites: [{flag: uses, variants: [on]}]')}
  lists: {state: ENABLED, variants: {a: [1], b: [2]}}
`),
    );
    expect(Object.keys(file.flags)).toEqual(['good']);
    expect(Object.keys(file.segments ?? {})).toEqual(['fine']);
    const left = new Set(notCarried.map(({ flag: name }) => name));
    expect([...left].sort()).toEqual(['after.uses', 'broken.name', 'lists', 'uses']);
  });

  it('is all of it where nothing is wrong, the channel included', () => {
    const file = fileOf(`  good: ${flag('prerequisites: [{flag: there, variants: [on]}]')}\n`);
    const { segments: _, ...rest } = file;
    const there = parseFlagFile(`schema: headgate.flags.v1\nflags: {there: ${flag('tags: []')}}\n`)
      .file as FlagFile;
    expect(soundPart(rest, there)).toEqual({ file: rest, notCarried: [] });
    expect(Object.keys(soundPart(rest).file.flags)).toEqual([]);
  });
});

describe('whose file it is', () => {
  it.each([
    ['schema: headgate.flags.v1', 'headgate'],
    ['{"flags": {}}', 'flagd'],
    ['{"flags": [{"key": "a"}]}', 'flagd'],
    ['{"version": 2, "features": []}', 'unleash'],
    ['a: {variations: {x: 1}}', 'go-feature-flag'],
    ['a: 1', undefined],
    ['[', undefined],
  ])('%s: %s', (text, source) => {
    expect(guessSource(text)).toBe(source);
  });
});
