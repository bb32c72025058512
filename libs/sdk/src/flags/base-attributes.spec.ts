import { attributesRead, completionOf } from './base-attributes.js';

const BASE = { targetingKey: 'me', version: '25.1', os: 'linux' };
const NAMES = Object.keys(BASE);

describe('attributesRead', () => {
  it.each<[unknown, string[]]>([
    [{ var: 'version' }, ['version']],
    [{ var: ['os.family', 'x'] }, ['os']],
    [{ if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', 'off'] }, []],
    [{ fractional: [{ cat: ['seed', { var: 'targetingKey' }] }, ['on', 1]] }, ['targetingKey']],
    [{ fractional: [['on', 1]] }, ['targetingKey']],
    [{ missing: ['os', 'plan'] }, ['os']],
    [{ missing_some: [1, ['plan', 'version']] }, ['version']],
    [{ missing: [{ merge: [['o'], ['s']] }] }, NAMES],
    [{ var: { cat: ['ver', 'sion'] } }, NAMES],
    [{ var: [{ cat: ['o', 's'] }] }, NAMES],
    [{ var: '' }, NAMES],
    [{ var: [] }, NAMES],
    [{ var: null }, NAMES],
    [{ var: 'o\\s' }, NAMES],
    [{ in: ['a', { var: 'groups' }] }, []],
    ['on', []],
  ])('of %j are %j', (rule, names) => {
    expect(attributesRead(rule, NAMES)).toEqual(names);
  });
});

describe('completionOf', () => {
  it('is the context itself when it lacks nothing that is read', () => {
    const context = { targetingKey: 'you', plan: 'pro' };
    for (const names of [
      ['targetingKey'],
      [],
      ['plan', 'targetingKey'],
      ['plan', 'targetingKey', 'os', 'x'],
    ]) {
      const whole = { ...context, os: 'debian', x: 1 };
      expect(completionOf(BASE, names)(whole)).toBe(whole);
    }
    expect(completionOf(BASE, ['targetingKey'])(context)).toBe(context);
  });

  it('fills in what is read and lacking, over nothing that the caller said', () => {
    const context = Object.freeze({ targetingKey: undefined, os: undefined, plan: 'pro' });
    expect(completionOf(BASE, NAMES)(context)).toEqual({
      targetingKey: 'me',
      os: undefined,
      version: '25.1',
      plan: 'pro',
    });
  });

  it("takes no attribute of a context's class for the context's own, as evaluation does not", () => {
    class Visit {
      readonly plan = 'pro';
      get version(): string {
        return 'of the class';
      }
    }
    const context = new Visit() as unknown as Record<string, unknown>;
    expect(completionOf({ version: '1.4.0' }, ['version'])(context)).toMatchObject({
      version: '1.4.0',
      plan: 'pro',
    });
  });
});
