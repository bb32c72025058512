import { acknowledged, RAISED_SIGNAL_KINDS, slug } from '@headgate/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { commandIdOption, whyOption } from '../options.js';
import { acknowledge } from '../output/acknowledge.js';
import { openSession, type Session } from '../session.js';
import type { Terminal } from '../terminal.js';

interface ObjectOptions {
  readonly kind: string;
  readonly site: string;
  readonly vendor?: string;
  readonly why: string;
  readonly commandId?: string;
}

const parseName = (text: string): string => {
  const { data, error } = slug.safeParse(text);
  if (error) throw new InvalidArgumentError(error.issues[0]?.message ?? 'not a name');
  return data;
};

/** What a site or a vendor knows and no report tells. */
export const addObjectCommand = (
  rollout: Command,
  terminal: Terminal,
  rolloutPath: (session: Session, id: string) => Promise<readonly string[]>,
): void => {
  rollout
    .command('object <id>')
    .description(
      'say that a rollout is bad: where reports are few, one signal ends it up to 10 %, two sites or one vendor later',
    )
    .addOption(new Option('--kind <kind>', 'what happened').choices(RAISED_SIGNAL_KINDS).default('objection'))
    .addOption(
      new Option('--site <name>', 'site that says so; this installation if absent')
        .argParser(parseName)
        .default('local'),
    )
    .addOption(
      new Option('--vendor <name>', 'enrolled vendor that says so, for all of its sites').argParser(
        parseName,
      ),
    )
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action(async (id: string, { kind, site, vendor, why, commandId }: ObjectOptions, command: Command) => {
      const session = openSession(terminal, command);
      const source = vendor === undefined ? { kind: 'site', name: site } : { kind: 'vendor', name: vendor };
      const answer = await session.client.call({
        method: 'POST',
        path: [...(await rolloutPath(session, id)), 'object'],
        body: { signal: kind, source, why },
        answer: acknowledged,
        ...(commandId === undefined ? {} : { commandId }),
      });
      const sentence = `${kind} of ${source.kind} ${source.name} against rollout ${id} is in the log; the judge weighs it at once`;
      acknowledge(terminal, session.settings.output, `rollout/${id}`, sentence, answer);
    });
};
