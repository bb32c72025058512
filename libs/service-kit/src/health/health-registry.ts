export interface HealthAnswer {
  readonly ok: boolean;
  /** One line for people; never a secret. */
  readonly detail?: string;
  /** Waiting will not mend it: somebody has to look. */
  readonly isStuck?: boolean;
}
export type HealthCheck = () => HealthAnswer | Promise<HealthAnswer>;

export interface HealthReport {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, HealthAnswer>>;
}

const CHECK_TIMEOUT_MS = 2_000;

/**
 * Named checks of a process. `ready`: may it get traffic now? `alive`: would only a restart help? A check that throws or takes
 * over two seconds has failed.
 */
export class HealthRegistry {
  private readonly readyChecks = new Map<string, HealthCheck>();
  private readonly aliveChecks = new Map<string, HealthCheck>();

  /** Registers a readiness check; the returned function takes it away. Names are unique. */
  ready(name: string, check: HealthCheck): () => void {
    return add(this.readyChecks, name, check);
  }

  alive(name: string, check: HealthCheck): () => void {
    return add(this.aliveChecks, name, check);
  }

  readiness(): Promise<HealthReport> {
    return report(this.readyChecks);
  }

  liveness(): Promise<HealthReport> {
    return report(this.aliveChecks);
  }
}

const add = (checks: Map<string, HealthCheck>, name: string, check: HealthCheck): (() => void) => {
  if (checks.has(name)) throw new Error(`health check "${name}" is registered twice`);
  checks.set(name, check);
  return () => checks.delete(name);
};

const report = async (checks: ReadonlyMap<string, HealthCheck>): Promise<HealthReport> => {
  const answers = await Promise.all(
    [...checks].map(async ([name, check]) => [name, await answerOf(check)] as const),
  );
  return { ok: answers.every(([, answer]) => answer.ok), checks: Object.fromEntries(answers) };
};

const answerOf = async (check: HealthCheck): Promise<HealthAnswer> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<HealthAnswer>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: 'no answer in 2 s' }), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([Promise.resolve(check()), timeout]);
  } catch (cause) {
    return { ok: false, detail: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    clearTimeout(timer);
  }
};
