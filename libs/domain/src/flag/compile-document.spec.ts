import type { JsonValue } from '@headgate/contracts';
import { compileDocument } from './compile-document.js';

const id = '01900000-0000-7000-8000-000000000001';
const split = { rolloutId: id, seed: 'seed', variant: 'on', weightPpm: 10_000 };
const targetingOf = (own: JsonValue | undefined, isSplit = true): JsonValue | undefined =>
  compileDocument('shop', {
    id,
    channel: 'stable',
    key: 'path',
    status: 'active',
    definition: {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      overridable: 'none',
      ...(own === undefined ? {} : { targeting: own }),
    },
    split: isSplit ? split : null,
    createdAt: 1,
    changedAt: 1,
    epoch: 1,
    position: 1,
    why: 'spec',
  })?.targeting;

const fractional = {
  fractional: [{ cat: ['seed', { var: 'targetingKey' }] }, ['on', 10_000], ['off', 990_000]],
};

describe('the targeting of a flag in a rollout', () => {
  it.each<[string, JsonValue | undefined]>([
    ['no rules', undefined],
    ['an empty object, which is no rule to flagd', {}],
  ])('is the split alone for %s', (_, own) => {
    expect(targetingOf(own)).toEqual(fractional);
  });

  it('lets the flag’s own rules go first, and compares strictly: false and 0 are answers', () => {
    const own = { '==': [{ var: 'os' }, 'debian'] };
    expect(targetingOf(own)).toEqual({ if: [{ '!==': [own, null] }, own, fractional] });
  });

  it('is the flag’s own without a rollout', () => {
    expect(targetingOf({ if: [true, 'on'] }, false)).toEqual({ if: [true, 'on'] });
  });
});

describe('the document of a flag without a default variant', () => {
  const on = { variant: 'on' };
  it.each([
    ['nothing else', {}],
    ['rules', { rules: [{ when: { var: 'beta' }, serve: on }] }],
    ['a fallthrough', { fallthrough: on }],
    ['a schedule', { schedule: [{ at: 1_000, serve: on }] }],
    ['its own targeting', { targeting: { if: [{ var: 'beta' }, 'on'] } }],
  ])('is what JSON can say, so that it can be signed: %s', (_, more) => {
    const variants = { on: true, off: false };
    const document = compileDocument('shop', {
      id,
      channel: 'stable',
      key: 'path',
      status: 'active',
      definition: { state: 'ENABLED', variants, overridable: 'none', ...more },
      split: null,
      createdAt: 1,
      changedAt: 1,
      epoch: 1,
      position: 1,
      why: 'spec',
    });
    expect(document).toStrictEqual(JSON.parse(JSON.stringify(document)));
  });
});
