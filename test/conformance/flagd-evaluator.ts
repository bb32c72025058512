import { deepStrictEqual } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluableFlag } from '@headgate/evaluation';
import { readFeature, type Scenario } from './gherkin.js';
import { type Details, resolveFlag } from './provider.js';
import { replaceReferences } from './references.js';
import type { Suite } from './suite.js';

/** Bucketing of flagd before 2026: ours, like flagd-core 4, has the version that replaced it. */
const NOT_OURS = '@fractional-v1';

interface World {
  type: string;
  key: string;
  fallback: unknown;
  context: Record<string, unknown>;
  details: (Details & { readonly metadata: Readonly<Record<string, unknown>> }) | null;
}

type Flags = Readonly<Record<string, Omit<EvaluableFlag, 'key'> & { readonly metadata?: object }>>;

/** flagd-testbed's evaluator features over its own flags. */
export const flagdEvaluatorSuites = (path: string): readonly Suite[] => {
  const folder = join(path, 'flagd-testbed', 'evaluator');
  const document = JSON.parse(readFileSync(join(folder, 'flags', 'testkit-flags.json'), 'utf8'));
  const flags = replaceReferences(document.flags, document.$evaluators ?? {}) as Flags;
  return readdirSync(join(folder, 'gherkin'))
    .filter((file) => file.endsWith('.feature'))
    .sort()
    .map((file) => {
      const scenarios = readFeature(readFileSync(join(folder, 'gherkin', file), 'utf8'));
      const isOurs = ({ tags }: Scenario) => !tags.includes(NOT_OURS);
      return {
        name: `flagd-testbed ${file.replace('.feature', '')}`,
        cases: scenarios.filter(isOurs).map((scenario) => ({
          name: scenario.name,
          run: () => play(scenario, flags),
        })),
        skipped: scenarios
          .filter((scenario) => !isOurs(scenario))
          .map(({ name }) => ({ name, reason: `${NOT_OURS}: bucketing that flagd has left` })),
      };
    });
};

const play = (scenario: Scenario, flags: Flags): void => {
  const world: World = { type: '', key: '', fallback: null, context: {}, details: null };
  for (const { text, table } of scenario.steps) {
    const step = STEPS.find(([pattern]) => pattern.test(text));
    if (!step) throw new Error(`step is not known: ${text}`);
    const [pattern, act] = step;
    act(world, pattern.exec(text)?.slice(1) ?? [], flags, table);
  }
  if (world.details === null) throw new Error('the scenario evaluated nothing');
};

type Act = (
  world: World,
  words: readonly string[],
  flags: Flags,
  table: readonly (readonly string[])[],
) => void;

const STEPS: readonly (readonly [RegExp, Act])[] = [
  [/^an evaluator$/, () => {}],
  [
    /^an? (\w+)-flag with key "(.*)" and a fallback value "(.*)"$/,
    (world, [type = '', key = '', fallback = '']) => {
      Object.assign(world, { type, key, fallback: typed(type, fallback) });
    },
  ],
  [
    /^a context containing a key "(.*)", with type "(\w+)" and with value "(.*)"$/,
    (world, [key = '', type = '', value = '']) => {
      world.context[key] = typed(type, value);
    },
  ],
  [
    /^a context containing a nested property with outer key "(.*)" and inner key "(.*)", with value "(.*)"$/,
    (world, [outer = '', inner = '', value = '']) => {
      world.context[outer] = { [inner]: value };
    },
  ],
  [
    /^a context containing a targeting key with value "(.*)"$/,
    (world, [value = '']) => {
      world.context.targetingKey = value;
    },
  ],
  [
    /^the flag was evaluated with details$/,
    (world, _, flags) => {
      world.details = resolve(world, flags);
    },
  ],
  [
    /^the resolved details value should be "(.*)"$/,
    (world, [value = '']) => deepStrictEqual(world.details?.value, typed(world.type, value)),
  ],
  [/^the reason should be "(.*)"$/, (world, [reason]) => deepStrictEqual(world.details?.reason, reason)],
  [/^the error-code should be "(.*)"$/, (world, [code]) => deepStrictEqual(world.details?.errorCode, code)],
  [
    /^the resolved metadata should contain$/,
    (world, _, __, table) => {
      const expected = table.slice(1).map(([key = '', type = '', value = '']) => [key, typed(type, value)]);
      const found = expected.map(([key]) => [key, world.details?.metadata[String(key)]]);
      deepStrictEqual(found, expected);
    },
  ],
  [/^the resolved metadata is empty$/, (world) => deepStrictEqual(world.details?.metadata, {})],
];

const resolve = ({ key, type, fallback, context }: World, flags: Flags): World['details'] => {
  const flag = flags[key];
  const asked = { type: JAVASCRIPT_TYPES[type] ?? type, fallback };
  return { ...resolveFlag(flag ? { ...flag, key } : null, asked, context), metadata: { ...flag?.metadata } };
};

const JAVASCRIPT_TYPES: Readonly<Record<string, string>> = {
  Boolean: 'boolean',
  String: 'string',
  Integer: 'number',
  Float: 'number',
  Object: 'object',
};

const typed = (type: string, text: string): unknown => {
  if (type === 'String') return text;
  if (type === 'Object') return JSON.parse(text.replaceAll('\\"', '"'));
  if (type === 'Boolean') return text === 'true';
  if (type === 'Integer' || type === 'Float') return Number(text);
  throw new Error(`type is not known: ${type}`);
};
