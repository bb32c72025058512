import { countNotRun, describeNotRun } from './not-run.mjs';

describe('tests that were not run', () => {
  const tests = [
    { fullName: 'a passes', status: 'passed' },
    { fullName: 'b fails [not run: strace]', status: 'failed' },
    { fullName: 'counts syncs [not run: strace]', status: 'pending' },
    { fullName: 'a vendor [not run: network-namespaces] is cut off', status: 'pending' },
    { fullName: 'was forgotten', status: 'pending' },
    { fullName: 'was never written', status: 'todo' },
  ];

  test('are counted by what was missing, and those without a reason are named', () => {
    const notRun = countNotRun(tests);
    expect(notRun).toEqual({
      count: 4,
      byTool: new Map([
        ['strace', 1],
        ['network-namespaces', 1],
      ]),
      unexplained: ['was forgotten', 'was never written'],
    });
    expect(describeNotRun(notRun)).toBe(
      'not run: 4 (strace not found: 1, network-namespaces not found: 1, without a reason: 2)',
    );
  });

  test('are none where all ran', () => {
    expect(describeNotRun(countNotRun(tests.slice(0, 1)))).toBe('not run: 0');
  });
});
