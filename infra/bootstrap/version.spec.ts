import { isAtLeast, parseVersion } from './version.mjs';

describe('version', () => {
  test.each([
    ['v20.19.0', [20, 19, 0]],
    ['nats-server: v2.15.1', [2, 15, 1]],
    ['2.36', [2, 36, 0]],
    ['nats-server: v2.14.0-RC.3', [2, 14, 0]],
  ])('reads %s', (text, expected) => {
    expect(parseVersion(text)).toEqual(expected);
  });

  test('finds none where there is none', () => {
    expect(parseVersion('not found')).toBeUndefined();
    expect(isAtLeast('not found', '0.0.1')).toBe(false);
  });

  test.each([
    ['2.14.0', '2.14.0', true],
    ['2.15.0', '2.14.9', true],
    ['2.9.10', '2.14.0', false],
    ['2.13.99', '2.14.0', false],
    ['20.19.0', '20.19.1', false],
    ['100.0.0', '20.19.0', true],
    ['3.0.0', '2.14.5', true],
  ])('%s is at least %s: %s', (actual, minimum, expected) => {
    expect(isAtLeast(actual, minimum)).toBe(expected);
  });

  test('a floor that is no version is a bug, not a pass', () => {
    expect(() => isAtLeast('2.14.0', 'latest')).toThrow('"latest" is not a version');
  });
});
