import { HealthRegistry, type Log, Metrics } from '@headgate/service-kit';
import { rawSql } from '../../../test/support/raw-sql.js';
import { flag, project, until, useForeignLog } from './foreign-log.fixture.js';
import type { ProjectionNote } from './projection.js';
import { ProjectorRun } from './projector.module.js';

const foreign = useForeignLog();

describe('a row that Postgres refuses', () => {
  it('makes the projector not ready, names position and cause, and goes on once it is taken', async () => {
    const log = foreign();
    await log.write(project('web'));
    const projection = log.start();
    await log.reaches(projection, 'web');
    const [health, metrics, lines] = [new HealthRegistry(), new Metrics(), [] as [string, object][]];
    const sink = {
      error: (message: string, fields: object) => lines.push([message, fields]),
    } as unknown as Log;
    const telling = { tell: (_note: ProjectionNote): void => undefined };
    new ProjectorRun({ projection, notes: telling }, sink, health, metrics);
    expect(await health.readiness()).toMatchObject({ ok: true });

    await rawSql(
      log.db,
      `alter table headgate_g1.flag add constraint poison check (name <> 'stable/poison')`,
    );
    const { streamSequence = 0 } = projection.status().checkpoint ?? {};
    const poisoned = streamSequence + 2;
    for (const key of ['a', 'poison', 'b']) await log.write(flag('web', key));
    await until(() => projection.status().refused !== null);
    expect(await health.readiness()).toEqual({
      ok: false,
      checks: {
        projector: {
          ok: false,
          isStuck: true,
          detail: expect.stringMatching(
            /^Postgres refuses the row of project "web", position 3 \(stream sequence \d+\) in table flag: .*"poison"/,
          ),
        },
      },
    });
    expect(await metrics.registry.metrics()).toContain(`headgate_projector_refused_sequence ${poisoned}`);
    const refusal = log.notes.find((note) => note.kind === 'fault' && note.at);
    telling.tell(refusal as ProjectionNote);
    expect(lines).toEqual([
      [expect.any(String), expect.objectContaining({ project: 'web', position: 3, table: 'flag' })],
    ]);
    // Following goes on beside it, and must not call the projector ready again.
    await log.write(flag('web', 'c'));
    await until(() => projection.status().lag >= 2);
    expect(await health.readiness()).toMatchObject({ ok: false });

    await rawSql(log.db, `alter table headgate_g1.flag drop constraint poison`);
    await log.reaches(projection, 'web');
    await until(async () => (await health.readiness()).ok);
    expect(await metrics.registry.metrics()).toContain('headgate_projector_refused_sequence 0');
    expect(await log.tables()).toBe(await log.folded());
  });

  it('is told apart from Postgres away, which nobody has to look at', async () => {
    const log = foreign();
    await log.write(project('web'));
    const projection = log.start();
    await log.reaches(projection, 'web');
    await rawSql(log.db, `alter table headgate.archive rename to archive_away`);
    await log.write(flag('web', 'a'));
    await until(() => projection.status().state === 'waiting');
    expect(projection.status()).toMatchObject({
      refused: null,
      lag: 1,
      detail: expect.stringMatching(/archive/),
    });
    await rawSql(log.db, `alter table headgate.archive_away rename to archive`);
    await log.reaches(projection, 'web');
    await until(() => projection.status().state === 'following');
  });
});
