/** One runnable scenario: outlines are unrolled, the background stands in front, tags of all levels are joined. */
export interface Scenario {
  readonly name: string;
  readonly tags: readonly string[];
  readonly steps: readonly Step[];
}

export interface Step {
  readonly text: string;
  /** A table under the step, heading row included. */
  readonly table: readonly (readonly string[])[];
}

interface Block {
  readonly kind: 'background' | 'scenario' | 'examples';
  readonly name: string;
  readonly tags: readonly string[];
  readonly steps: { text: string; table: string[][] }[];
  readonly rows: string[][];
}

const KEYWORDS = [
  ['Background:', 'background'],
  ['Scenario Outline:', 'scenario'],
  ['Scenario:', 'scenario'],
  ['Examples:', 'examples'],
] as const;

/**
 * Reads what flagd-testbed uses of Gherkin: features, backgrounds, scenarios, outlines with tagged examples, tables and
 * comments. Throws on a line that it does not understand, so that nothing is passed over in silence.
 */
export const readFeature = (text: string): readonly Scenario[] => {
  const { featureTags, blocks } = blocksOf(text);
  const background = blocks.filter(({ kind }) => kind === 'background').flatMap(({ steps }) => steps);
  const scenarios: Scenario[] = [];
  for (const [index, block] of blocks.entries()) {
    if (block.kind !== 'scenario') continue;
    const end = blocks.findIndex(({ kind }, later) => later > index && kind !== 'examples');
    const examples = blocks.slice(index + 1, end < 0 ? undefined : end);
    const steps = [...background, ...block.steps];
    const tags = [...featureTags, ...block.tags];
    if (examples.length === 0) scenarios.push({ name: block.name, tags, steps });
    for (const { tags: own, rows } of examples) {
      const [heading = [], ...values] = rows;
      for (const row of values) {
        scenarios.push({
          name: `${block.name} (${row.join(', ')})`,
          tags: [...tags, ...own],
          steps: steps.map((step) => filled(step, heading, row)),
        });
      }
    }
  }
  return scenarios;
};

const blocksOf = (text: string): { featureTags: readonly string[]; blocks: readonly Block[] } => {
  const blocks: Block[] = [];
  let featureTags: readonly string[] | null = null;
  let tags: string[] = [];
  for (const [number, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const keyword = KEYWORDS.find(([word]) => line.startsWith(word));
    const block = blocks.at(-1);
    if (line.startsWith('@')) tags.push(...line.split(/\s+/));
    else if (line.startsWith('Feature:')) {
      featureTags = tags;
      tags = [];
    } else if (keyword) {
      const [word, kind] = keyword;
      blocks.push({ kind, name: line.slice(word.length).trim(), tags, steps: [], rows: [] });
      tags = [];
    } else if (line.startsWith('|') && block) {
      const cells = cellsOf(line);
      if (block.kind === 'examples') block.rows.push(cells);
      else block.steps.at(-1)?.table.push(cells);
    } else if (/^(Given|When|Then|And|But) /.test(line) && block) {
      block.steps.push({ text: line.slice(line.indexOf(' ') + 1), table: [] });
    } else throw new Error(`line ${number + 1} is no Gherkin that this reader knows: ${line}`);
  }
  if (featureTags === null) throw new Error('a feature file has to start with "Feature:"');
  return { featureTags, blocks };
};

/** `\|`, `\n` and `\\` are Gherkin's own escapes; every other backslash stays. */
const cellsOf = (line: string): string[] =>
  line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll(/\\([|\\n])/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped)));

const filled = (step: Step, heading: readonly string[], row: readonly string[]): Step => {
  const fill = (text: string) =>
    text.replaceAll(/<([^<>]+)>/g, (whole, name) => {
      const column = heading.indexOf(name);
      return column < 0 ? whole : (row[column] ?? '');
    });
  return { text: fill(step.text), table: step.table.map((cells) => cells.map(fill)) };
};
