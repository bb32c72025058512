import { checkDefinition, checkSegment, type Problem as Fault } from '@headgate/domain';
import { writeWeight } from './figures.js';
import { type FlagFile, type Path, type Problem, showPath } from './flag-file.js';
import { surroundingsOf } from './surroundings.js';

/** Flags and segments that a file may refer to without having them: what the channel has already. */
export type Channel = Pick<FlagFile, 'flags' | 'segments'>;

/**
 * What the server's door would refuse: the same checks, by the same code. Places come from `locate`; without one everything
 * stands at the start.
 */
export const checkFlagFile = (
  file: FlagFile,
  locate: (path: Path) => { readonly line: number; readonly column: number } = () => ({ line: 1, column: 1 }),
  channel: Channel = { flags: {} },
): readonly Problem[] => {
  const around = surroundingsOf({
    ...file,
    flags: { ...channel.flags, ...file.flags },
    segments: { ...channel.segments, ...file.segments },
  });
  const told = (base: Path, value: unknown, faults: readonly Fault[]): readonly Problem[] =>
    faults.map(({ path, code, message }) => {
      const at = [...base, ...pathIn(value, path)];
      return {
        ...locate(inFile(at, locate)),
        path: showPath(at),
        ...(code === 'split-sum' ? sumParts(valueIn(value, pathIn(value, path))) : partsOf(message)),
      };
    });
  return [
    ...Object.entries(file.segments ?? {}).flatMap(([name, segment]) =>
      told(['segments', name], segment, checkSegment(segment, around)),
    ),
    ...Object.entries(file.flags).flatMap(([key, definition]) =>
      told(['flags', key], definition, checkDefinition(definition, key, around)),
    ),
  ];
};

/** In the file's figures: it has percentages where the definition has parts per million. */
const sumParts = (split: unknown): { readonly message: string; readonly mend: string } => {
  const arms = split as readonly { readonly weightPpm: number }[];
  const sum = arms.reduce((total, { weightPpm }) => total + weightPpm, 0);
  const message = `the weights sum to ${writeWeight(sum)}, not to 100 %`;
  return sum < 1_000_000
    ? { message, mend: `Add ${writeWeight(1_000_000 - sum)}.` }
    : { message, mend: `Take off ${writeWeight(sum - 1_000_000)}.` };
};

const valueIn = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, part) => (at as Readonly<Record<string | number, unknown>>)[part], value);

/** A dotted path as its parts; names have dots too, so the longest name that is there is taken. */
const pathIn = (value: unknown, dotted: string): Path => {
  if (dotted === '') return [];
  const parts = dotted.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const name = parts.slice(0, length).join('.');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) continue;
    const rest = pathIn((value as Readonly<Record<string, unknown>>)[name], parts.slice(length).join('.'));
    return [Array.isArray(value) ? Number(name) : name, ...rest];
  }
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
};

/** A file says `weight` where the definition says `weightPpm`. */
const inFile = (
  path: Path,
  locate: (path: Path) => { readonly line: number; readonly column: number },
): Path => {
  const renamed = path.map((part) =>
    part === 'weightPpm' ? 'weight' : part === 'maxWeightPpm' ? 'maxWeight' : part,
  );
  const [own, other] = [locate(path), locate(renamed)];
  return other.line > own.line || (other.line === own.line && other.column > own.column) ? renamed : path;
};

/** The domain says what is wrong and the mend in one sentence, the mend after the last semicolon. */
const partsOf = (message: string): { readonly message: string; readonly mend: string } => {
  const at = message.lastIndexOf('; ');
  if (at < 0) return { message, mend: 'Mend it; the server would refuse it.' };
  const mend = message.slice(at + 2);
  return { message: message.slice(0, at), mend: `${mend.charAt(0).toUpperCase()}${mend.slice(1)}.` };
};
