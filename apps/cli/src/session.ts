import { channelView, projectView } from '@headgate/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import { type Client, openClient } from './api/client.js';
import { usageError } from './exit.js';
import { findSettings, type GlobalOptions, type Settings } from './settings/settings.js';
import type { Terminal } from './terminal.js';

/** What a command works with: its settings, a client, and where to write. */
export interface Session {
  readonly terminal: Terminal;
  readonly settings: Settings;
  readonly client: Client;
  /** The project named, or the only one there is. */
  project(): Promise<string>;
  channel(project: string): Promise<string>;
}

export const openSession = (terminal: Terminal, command: Command): Session => {
  const settings = findSettings(terminal, command.optsWithGlobals<GlobalOptions>());
  const client = openClient(settings, terminal);
  const only = async (
    what: 'project' | 'channel',
    path: readonly string[],
    item: z.ZodType<{ slug: string }>,
  ): Promise<string> => {
    const { items } = await client.call({ method: 'GET', path, answer: z.object({ items: z.array(item) }) });
    const [first] = items;
    if (first && items.length === 1) return first.slug;
    throw usageError(
      items.length === 0 ? `there is no ${what} yet` : `there are ${items.length} ${what}s`,
      items.length === 0
        ? `Create one: headgate ${what} create NAME --why REASON.`
        : `Name one with --${what} or HEADGATE_${what.toUpperCase()}: ${items.map(({ slug }) => slug).join(', ')}.`,
    );
  };
  return {
    terminal,
    settings,
    client,
    project: async () => settings.project ?? only('project', ['v1', 'projects'], projectView),
    channel: async (project) =>
      settings.channel ?? only('channel', ['v1', 'projects', project, 'channels'], channelView),
  };
};
