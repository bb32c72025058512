import { acknowledged, createdTokenView, TOKEN_ROLES, type TokenView, tokenView } from '@headgate/contracts';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { CommandFailed, EXIT } from '../exit.js';
import { commandIdOption, parseDuration, whyOption } from '../options.js';
import { acknowledge } from '../output/acknowledge.js';
import { instant } from '../output/figures.js';
import { printJson, printLines, printList, printOne, type Shown } from '../output/print.js';
import { openSession, type Session } from '../session.js';
import { say, type Terminal } from '../terminal.js';
import { recoverToken } from './recover-token.js';

const shown: Shown<TokenView> = {
  name: ({ id }) => `token/${id}`,
  columns: {
    token: ({ id }) => id,
    name: ({ name }) => name,
    role: ({ role }) => role,
    project: ({ project }) => project ?? '(all)',
    created: ({ createdAt }) => instant(createdAt),
    expires: ({ expiresAt }) => (expiresAt === null ? 'never' : instant(expiresAt)),
    revoked: ({ revokedAt }) => (revokedAt === null ? '-' : instant(revokedAt)),
  },
};

interface CreateOptions {
  readonly role: string;
  readonly expires?: number;
  readonly why: string;
  readonly commandId?: string;
}

export const addTokenCommands = (program: Command, terminal: Terminal): void => {
  const token = program.command('token').description('who may call the API');
  token
    .command('create <name>')
    .description('create a token and print its secret, once; --project narrows it to one project')
    .addOption(new Option('--role <role>', 'what it may do').choices(TOKEN_ROLES).makeOptionMandatory())
    .option('--expires <duration>', 'when it ends, from now', parseDuration)
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action(async (name: string, { role, expires, why, commandId }: CreateOptions, command: Command) => {
      const { client, settings } = openSession(terminal, command);
      // Only a project named on the command line narrows a token: one from a settings file would be a surprise.
      const { project } = command.optsWithGlobals<{ project?: string }>();
      const created = await client.call({
        method: 'POST',
        path: ['v1', 'tokens'],
        body: {
          name,
          role,
          ...(project === undefined ? {} : { project }),
          ...(expires === undefined ? {} : { expiresAt: terminal.now() + expires }),
          why,
        },
        answer: createdTokenView,
        ...(commandId === undefined ? {} : { commandId }),
      });
      say(terminal, `created token ${name} (${created.id}); this is the only time its secret is shown`);
      if (settings.output === 'json') printJson(terminal, created);
      else printLines(terminal, [created.secret]);
    });
  token
    .command('list')
    .description('list tokens')
    .action(async (_options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      printList(terminal, session.settings.output, shown, await listTokens(session));
    });
  token
    .command('get <id>')
    .description('show a token')
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      const view = (await listTokens(session)).find((item) => item.id === id);
      if (!view)
        throw new CommandFailed(
          EXIT.notFoundOrConflict,
          `there is no token ${id}`,
          'List them: headgate token list.',
        );
      printOne(terminal, session.settings.output, shown, view);
    });
  token
    .command('revoke <id>')
    .description('revoke a token, at once')
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action(async (id: string, { why, commandId }: CreateOptions, command: Command) => {
      const { client, settings } = openSession(terminal, command);
      const answer = await client.call({
        method: 'POST',
        path: ['v1', 'tokens', id, 'revoke'],
        body: { why },
        answer: acknowledged,
        ...(commandId === undefined ? {} : { commandId }),
      });
      acknowledge(terminal, settings.output, `token/${id}`, `revoked token ${id}`, answer);
    });
  token
    .command('recover')
    .description('make a new admin token, as the user who runs the server, on its machine')
    .option('--data-dir <folder>', "the server's data folder", '.headgate')
    .action((options: { dataDir: string }, command: Command) =>
      recoverToken(terminal, options.dataDir, command),
    );
};

const listTokens = async ({ client }: Session): Promise<readonly TokenView[]> => {
  const answer = z.object({ items: z.array(tokenView) });
  return (await client.call({ method: 'GET', path: ['v1', 'tokens'], answer })).items;
};
