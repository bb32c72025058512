import { readFileSync } from 'node:fs';

const PAGE = 'docs/explanation/invariants.md';

interface Row {
  readonly number: number;
  readonly shownBy: string;
  readonly control: string;
}

const rowsOf = (page: string): readonly Row[] =>
  page
    .split('\n')
    .map((line) => line.split(' | '))
    .filter(([first]) => /^\| \d+$/.test(first ?? ''))
    .map(([first, , shownBy, control]) => ({
      number: Number(first?.slice(2)),
      shownBy: shownBy ?? '',
      control: (control ?? '').replace(/ \|$/, ''),
    }));

/** Pairs of a spec and part of a test's name, as `path`: "name". */
const citationsIn = (text: string): readonly { readonly file: string; readonly name: string }[] =>
  [...text.matchAll(/`([^`]+\.spec\.ts)`: "([^"]+)"/g)].map(([, file, name]) => ({
    file: file ?? '',
    name: name ?? '',
  }));

const missing = (text: string): readonly string[] =>
  citationsIn(text)
    .filter(({ file, name }) => {
      try {
        return !readFileSync(file, 'utf8').includes(name);
      } catch {
        return true;
      }
    })
    .map(({ file, name }) => `${file}: ${name}`);

describe(PAGE, () => {
  const page = readFileSync(PAGE, 'utf8');
  const rows = rowsOf(page);

  it('has the sixteen invariants, each with what shows it and a control, or a plain "not yet"', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    for (const { number, shownBy, control } of rows) {
      expect([number, citationsIn(shownBy).length]).not.toEqual([number, 0]);
      expect([number, control]).not.toEqual([number, '']);
    }
  });

  it('names tests that are there', () => {
    expect(citationsIn(page).length).toBeGreaterThan(40);
    expect(missing(page)).toEqual([]);
  });

  it('would notice one that is not (control)', () => {
    expect(missing('`test/history/history.spec.ts`: "was renamed"; `gone.spec.ts`: "x"')).toHaveLength(2);
  });
});
