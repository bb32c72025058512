import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a spec may need beyond npm and nats-server, each with the question that tells whether it works here. */
const TOOLS = {
  strace: () => runs('strace', ['-o', '/dev/null', 'true']),
  spin: () => runs('spin', ['-V']) && runs('gcc', ['--version']),
  prometheus: () => runs('prometheus', ['--version']),
  chromium: () => ['chromium', 'chromium-browser', 'google-chrome'].some((name) => runs(name, ['--version'])),
  'network-namespaces': () => runs('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']),
  shared: () => existsSync(fileURLToPath(new URL('../../../../shared/conformance', import.meta.url))),
} as const;

export type Tool = keyof typeof TOOLS;

type Registered = (name: string, body: () => void | Promise<void>, timeoutMs?: number) => void;
type Runner = Registered & { readonly skip: Registered };

/**
 * A test that needs a tool which a machine may lack. Where the tool works this is `test(name, body)`. Elsewhere the
 * test is skipped and its name says what was missing, and the run's end counts it as *not run*, never as passed. Where
 * $HEADGATE_MUST_RUN lists the tool (CI, which installs what it can), the test fails instead.
 */
export function whereFound(
  tool: Tool,
  name: string,
  body: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  register(runner('test'), tool, name, body, timeoutMs);
}

/** The same for a group of tests, hooks included. */
export function describeWhereFound(tool: Tool, name: string, body: () => void): void {
  const { found, isDemanded } = look(tool);
  const describe = runner('describe');
  if (found) describe(name, body);
  else if (isDemanded) describe(name, () => runner('test')(`needs ${tool}`, () => refuse(tool)));
  else describe.skip(`${name} [not run: ${tool}]`, body);
}

function register(
  test: Runner,
  tool: Tool,
  name: string,
  body: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  const { found, isDemanded } = look(tool);
  if (found) test(name, body, timeoutMs);
  else if (isDemanded) test(name, () => refuse(tool));
  else test.skip(`${name} [not run: ${tool}]`, body, timeoutMs);
}

const answers = new Map<Tool, boolean>();

function look(tool: Tool): { readonly found: boolean; readonly isDemanded: boolean } {
  const found = answers.get(tool) ?? TOOLS[tool]();
  answers.set(tool, found);
  return { found, isDemanded: (process.env.HEADGATE_MUST_RUN ?? '').split(',').includes(tool) };
}

function refuse(tool: Tool): never {
  throw new Error(`${tool} was not found or does not work here, and HEADGATE_MUST_RUN asks for it`);
}

function runs(program: string, args: readonly string[]): boolean {
  // env by name: under jest process.env is a copy, which a child would not see by itself
  return spawnSync(program, args, { stdio: 'ignore', timeout: 10_000, env: process.env }).status === 0;
}

/** jest's globals by name at call time, so that this package also loads outside jest (benches use its builders). */
function runner(name: 'test' | 'describe'): Runner {
  const found = (globalThis as unknown as Partial<Record<typeof name, Runner>>)[name];
  if (!found) throw new Error(`whereFound registers a ${name}: call it from a spec that jest runs`);
  return found;
}
