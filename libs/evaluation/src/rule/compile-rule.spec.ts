import { compileRule } from './compile-rule.js';
import { newFrame } from './term.js';

const run = (rule: unknown, data: Record<string, unknown> = {}): unknown => {
  const frame = newFrame('flag-a', () => 1_700_000_000);
  return compileRule(rule, frame)(data);
};

describe('compileRule', () => {
  const data = {
    a: 1,
    b: '2',
    list: [1, 2, 3],
    deep: { x: { y: 'z' } },
    empty: [],
    'dot.ted': 'd',
    v: 'v1.2.3',
  };
  it.each<[unknown, unknown]>([
    [{ var: 'a' }, 1],
    [{ var: ['nope', 26] }, 26],
    [{ var: 'deep.x.y' }, 'z'],
    [{ var: 'dot\\.ted' }, 'd'],
    [{ var: 'list.1' }, 2],
    [{ var: '$flagd.flagKey' }, 'flag-a'],
    [{ var: '$flagd.timestamp' }, 1_700_000_000],
    [{ if: [] }, null],
    [{ if: ['x'] }, 'x'],
    [{ if: [false, 1, [], 2, 3] }, 3],
    [{ and: [1, '', 2] }, ''],
    [{ or: [0, 'x', 2] }, 'x'],
    [{ '!': [[]] }, true],
    [{ '!!': 'x' }, true],
    [{ '==': [1, '1'] }, true],
    [{ '===': [1, '1'] }, false],
    [{ '!=': ['a', null] }, true],
    [{ '!==': [1, 1] }, false],
    [{ '<': [1, 2, 3] }, true],
    [{ '<': [1, 3, 2] }, false],
    [{ '<=': ['a', 'b'] }, true],
    // found by seed 77: a filter without a list, whose condition never holds
    [{ filter: [1, { if: [true, 0, { var: '' }] }] }, []],
    [{ all: [[''], { in: [{ var: 'length' }, [null]] }] }, true],
    // found by seed 20261121 of the differential, as the one above: null and 0 are null to the next comparison
    [{ '<=': [{ var: 'nope' }, 0, 'off'] }, false],
    [{ '>=': [{ var: 'b' }, 2] }, true],
    [{ '+': ['1', 2, 3] }, 6],
    [{ '-': [5] }, -5],
    [{ '-': [5, 2, 1] }, 2],
    [{ '*': [2, 3, 4] }, 24],
    [{ '/': [9, 3] }, 3],
    [{ '%': [7, 4] }, 3],
    [{ min: [3, 1, 2] }, 1],
    [{ max: { var: 'list' } }, 3],
    [{ in: ['b', 'abc'] }, true],
    [{ in: [2, { var: 'list' }] }, true],
    [{ in: [11, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] }, false],
    [{ cat: ['a', 1, null, true] }, 'a1true'],
    [{ substr: ['jsonlogic', 4] }, 'logic'],
    [{ substr: ['jsonlogic', -5] }, 'logic'],
    [{ substr: ['jsonlogic', 1, 3] }, 'son'],
    [{ substr: ['jsonlogic', 4, -2] }, 'log'],
    [{ missing: ['a', 'nope'] }, ['nope']],
    [{ missing_some: [1, ['a', 'nope']] }, []],
    [{ missing_some: [2, ['a', 'nope']] }, ['nope']],
    [{ map: [{ var: 'list' }, { '*': [{ var: '' }, 2] }] }, [2, 4, 6]],
    [{ filter: [{ var: 'list' }, { '>': [{ var: '' }, 1] }] }, [2, 3]],
    [{ reduce: [{ var: 'list' }, { '+': [{ var: 'current' }, { var: 'accumulator' }] }, 0] }, 6],
    [{ all: [{ var: 'empty' }, true] }, false],
    [{ all: [{ var: 'list' }, { '>': [{ var: '' }, 0] }] }, true],
    [{ some: [{ var: 'list' }, { '>': [{ var: '' }, 2] }] }, true],
    [{ none: [{ var: 'list' }, { '>': [{ var: '' }, 3] }] }, true],
    [{ merge: [[1], 2, [3, 4]] }, [1, 2, 3, 4]],
    [{ starts_with: ['abc', 'ab'] }, true],
    [{ ends_with: ['abc', 'ab'] }, false],
    [{ starts_with: [1, 'ab'] }, null],
    [{ sem_ver: [{ var: 'v' }, '=', '1.2.3'] }, true],
    [{ sem_ver: ['1.2.3-alpha', '<', '1.2.3'] }, true],
    [{ sem_ver: ['1.2.3-alpha.2', '<', '1.2.3-alpha.10'] }, true],
    [{ sem_ver: ['1.0.0-alpha', '<', '1.0.0-alpha.1'] }, true],
    [{ sem_ver: ['1.0.0-2', '<', '1.0.0-alpha'] }, true],
    [{ sem_ver: ['1.2', '^', '1.9.0'] }, true],
    [{ sem_ver: ['1.2.9', '~', '1.2.0'] }, true],
    [{ sem_ver: ['1.3.0', '~', '1.2.0'] }, false],
    [{ sem_ver: ['2.0.0.0', '=', '2.0.0'] }, null],
    [{ sem_ver: ['1.0.0', '=>', '1.0.0'] }, null],
    [{ sem_ver: [1, '=', '1.0.0'] }, true],
    [{ fractional: [['on', 1.5]] }, null],
    [{ fractional: ['key', ['on', -5], ['off', 1]] }, 'off'],
    [{ fractional: ['key', ['on', 0]] }, null],
    [{ fractional: ['key', ['on', { var: 'a' }]] }, 'on'],
    [{ fractional: ['key', ['on', 2_147_483_647], ['off', 1]] }, null],
  ])('gives for %j the value %j', (rule, value) => {
    expect(run(rule, data)).toEqual(value);
  });

  it.each<[unknown]>([
    [{ '<': [{}, 1] }],
    [{ '+': ['x'] }],
    [{ '/': [1, 0] }],
    [{ max: ['1'] }],
    [{ in: [1, 5] }],
  ])('fails on data that %j cannot handle', (rule) => {
    expect(() => run(rule)).toThrow();
  });
});
