import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { checkPattern } from './check-pattern.js';

describe('a pattern', () => {
  it.each([
    '^[a-z][a-z0-9-]*$',
    '^(dev|staging|prod|production)$',
    '^v?\\d+\\.\\d+\\.\\d+(-[\\w.]+)?$',
    '^\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}$',
    '^https://[a-z0-9.-]+\\.example\\.com/.*$',
    '^[^@]+@[^@]+$',
    '^([a-f0-9]{2}:){5}[a-f0-9]{2}$',
    '^\\d{1,3}(,\\d{3})*$',
    '^(?:[a-z]+-)*[a-z]+$',
    '^(?<year>\\d{4})-\\d\\d$',
    '^[\\]\\\\-]{3,}$',
    '^\\u0041\\x42\\cM\\t$',
    '^$',
    '.*',
    '[^]',
    'a{2',
  ])('%s is taken', (pattern) => expect(checkPattern(pattern)).toBeNull());

  it.each([
    ['(a+)+$', /repeats a repetition/],
    ['^(a*)*$', /may be empty/],
    ['^(a?){30}a{30}$', /may be empty/],
    ['^(a|a)*$', /repeats a choice/],
    ['^(a|ab|b)*$', /repeats a choice/],
    ['^([a-z]|[a-f0-9])+$', /repeats a choice/],
    ['^(\\w|\\d)+$', /repeats a choice/],
    ['^(a|aa)+$', /repeats a choice/],
    ['^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}$', /repeats a (repetition|choice)/],
    ['^\\d*\\d*$', /two repetitions/],
    ['^.*foo.*$', /two repetitions/],
    ['^\\s+|\\s+$|a.*b.*c', /two repetitions/],
    [`^${'(a|aa)'.repeat(20)}$`, /too many ways/],
    ['^(a|a){30}$', /too many ways/],
    ['^(a|a){1,30}$', /repeats a choice/],
    ['(a)\\1', /refers back/],
    ['(?<x>a)\\k<x>', /refers back/],
    ['^(?=a).*$', /looks around/],
    ['^(?!a).*$', /looks around/],
    ['(?<=a)b', /looks around/],
    ['(?<!a)b', /looks around/],
    ['(', /not a regular expression/],
    ['[b-a]', /not a regular expression/],
    [`^${'[ab]?'.repeat(480 / 5)}$`, /too many ways|too complicated/],
  ])('%s is refused', (pattern, why) => expect(checkPattern(pattern)).toMatch(why));

  const matching = (pattern: string, text: string): boolean => {
    const script = `new RegExp(${JSON.stringify(pattern)}).test(${JSON.stringify(text)})`;
    try {
      execFileSync(process.execPath, ['-e', script], {
        timeout: 1_500,
        killSignal: 'SIGKILL',
        stdio: 'ignore',
      });
      return true;
    } catch {
      return false;
    }
  };

  it.each([
    ['^(a+)+$', 'a'],
    ['^(a|a)*$', 'a'],
    ['^(a|aa)+$', 'a'],
    [`^${'(a|aa)'.repeat(40)}$`, 'a'],
  ])('%s does block an engine (control)', (pattern, letter) => {
    expect(checkPattern(pattern)).not.toBeNull();
    expect(matching(pattern, `${letter.repeat(60)}!`)).toBe(false);
  });

  it('that is taken is matched at once against long texts made to make it slow', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '[ab]',
      '.',
      'a+',
      'b*',
      '[^a]*',
      'a?',
      '(a|b)',
      '(ab)+',
      '(a|bc)*',
      '(?:a+b)*',
      'a{2,5}',
      '-',
    );
    const made = fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => `^${parts.join('')}$`);
    let taken = 0;
    fc.assert(
      fc.property(made, (pattern) => {
        if (checkPattern(pattern) !== null) return;
        taken += 1;
        const regexp = new RegExp(pattern);
        // Quadratic matching of these would take minutes.
        for (const text of ['a', 'b', 'ab', 'aab', 'abc']) regexp.test(`${text.repeat(20_000)}!`);
      }),
      { numRuns: 600, seed: 20_261_121 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
