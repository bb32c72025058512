import type { FlagDefinition, JsonValue } from '@headgate/contracts';
import { type Reading, readInstant, readWeight, writeInstant, writeWeight } from './figures.js';
import type { Path } from './flag-file.js';

type Fields = Readonly<Record<string, JsonValue>>;
type Report = (path: Path, message: string, mend: string) => void;

export const isFields = (value: JsonValue | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A definition as a file has it (`weight: 25 %`, ISO instants) in the form that contracts knows (`weightPpm`, milliseconds).
 * Whatever has another shape is left as it is, for the schema to name.
 */
export const readDefinition = (value: JsonValue, path: Path, report: Report): JsonValue => {
  if (!isFields(value)) return value;
  return {
    ...value,
    ...each(value, 'rules', path, (rule, at) =>
      within(rule, at, 'serve', (serve, to) => readServe(serve, to, report)),
    ),
    ...(value.fallthrough === undefined
      ? {}
      : { fallthrough: readServe(value.fallthrough, [...path, 'fallthrough'], report) }),
    ...each(value, 'schedule', path, (entry, at) =>
      readAt(
        within(entry, at, 'serve', (serve, to) => readServe(serve, to, report)),
        at,
        'at',
        report,
      ),
    ),
    ...(isFields(value.bounds)
      ? { bounds: readShare(value.bounds, [...path, 'bounds'], 'maxWeight', 'maxWeightPpm', report) }
      : {}),
    ...readAt(value.expires === undefined ? {} : { expires: value.expires }, path, 'expires', report),
  };
};

const readServe = (serve: JsonValue, path: Path, report: Report): JsonValue => {
  if (!isFields(serve)) return serve;
  return {
    ...serve,
    ...each(serve, 'split', path, (arm, at) => readShare(arm, at, 'weight', 'weightPpm', report)),
    ...(isFields(serve.ramp) ? { ramp: readRamp(serve.ramp, [...path, 'ramp'], report) } : {}),
  };
};

const readRamp = (ramp: Fields, path: Path, report: Report): JsonValue => {
  const end = (value: JsonValue, at: Path): JsonValue =>
    isFields(value) ? readAt(readShare(value, at, 'weight', 'weightPpm', report), at, 'at', report) : value;
  return {
    ...ramp,
    ...(ramp.from === undefined ? {} : { from: end(ramp.from, [...path, 'from']) }),
    ...(ramp.to === undefined ? {} : { to: end(ramp.to, [...path, 'to']) }),
  };
};

/** The file's percentage in place of contracts' parts per million; the latter is taken too, for JSON that comes from the API. */
const readShare = (
  value: JsonValue,
  path: Path,
  inFile: string,
  inContract: string,
  report: Report,
): Fields => {
  if (!isFields(value)) return value as unknown as Fields;
  const { [inFile]: written, ...rest } = value;
  if (written === undefined) return value;
  if (rest[inContract] !== undefined) {
    report([...path, inFile], `${inFile} and ${inContract} are both given`, `Keep ${inFile}.`);
    return rest;
  }
  return { ...rest, [inContract]: settle(readWeight(written), 0, [...path, inFile], report) };
};

const readAt = (value: JsonValue, path: Path, field: string, report: Report): Fields => {
  if (!isFields(value) || value[field] === undefined) return value as unknown as Fields;
  return { ...value, [field]: settle(readInstant(value[field] ?? null), 0, [...path, field], report) };
};

/** A stand-in for what was reported, so that the schema does not report it a second time. */
const settle = <T>(reading: Reading<T>, standIn: T, path: Path, report: Report): T => {
  if ('value' in reading) return reading.value;
  report(path, reading.message, reading.mend);
  return standIn;
};

const each = (
  value: Fields,
  field: string,
  path: Path,
  change: (item: JsonValue, path: Path) => JsonValue,
): Fields => {
  const items = value[field];
  return Array.isArray(items) ? { [field]: items.map((item, i) => change(item, [...path, field, i])) } : {};
};

const within = (
  value: JsonValue,
  path: Path,
  field: string,
  change: (item: JsonValue, path: Path) => JsonValue,
): JsonValue =>
  isFields(value) && value[field] !== undefined
    ? { ...value, [field]: change(value[field] ?? null, [...path, field]) }
    : value;

/** The way back: what `readDefinition` reads, in the order that people read. */
export const writeDefinition = (definition: FlagDefinition): Fields => {
  const { bounds, expires, rules, fallthrough, schedule } = definition;
  const written: Record<string, unknown> = {
    description: definition.description,
    type: definition.type,
    owner: definition.owner,
    tags: definition.tags,
    expires: expires === undefined ? undefined : writeInstant(expires),
    state: definition.state,
    variants: definition.variants,
    defaultVariant: definition.defaultVariant,
    prerequisites: definition.prerequisites,
    rules: rules?.map(({ name, when, serve }) => ({ name, when, serve: writeServe(serve) })),
    targeting: definition.targeting,
    schedule: schedule?.map(({ at, serve }) => ({ at: writeInstant(at), serve: writeServe(serve) })),
    fallthrough: fallthrough && writeServe(fallthrough),
    seed: definition.seed,
    overridable: definition.overridable === 'none' ? undefined : definition.overridable,
    bounds: bounds && renamed(bounds, 'maxWeightPpm', 'maxWeight'),
    metadata: definition.metadata,
  };
  return present(written);
};

type Serve = NonNullable<FlagDefinition['fallthrough']>;

const writeServe = (serve: Serve): unknown => {
  if ('variant' in serve) return serve;
  if ('split' in serve)
    return { ...serve, split: serve.split.map((arm) => renamed(arm, 'weightPpm', 'weight')) };
  const { variant, rest, from, to } = serve.ramp;
  const end = ({ at, weightPpm }: typeof from): unknown => ({
    at: writeInstant(at),
    weight: writeWeight(weightPpm),
  });
  return { ...serve, ramp: { variant, rest, from: end(from), to: end(to) } };
};

const renamed = (value: object, from: string, to: string): unknown => {
  const { [from]: ppm, ...rest } = value as Record<string, unknown>;
  return typeof ppm === 'number' ? { ...rest, [to]: writeWeight(ppm) } : value;
};

/** JSON has no undefined; neither has a file. */
const present = (value: unknown): Fields => JSON.parse(JSON.stringify(value)) as Fields;
