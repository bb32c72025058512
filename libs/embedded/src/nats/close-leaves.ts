import { LINK_ACCOUNT } from './mirror.js';
import { systemRequest } from './system-request.js';

/**
 * Closes every leaf connection of the vendors' account. A reload of the configuration leaves a leaf connected whose user it
 * removed (seen on nats-server 2.15.1); vendors still enrolled come back by themselves within about a second.
 */
export async function closeLeaves(server: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}): Promise<void> {
  const ask = (subject: string, body?: unknown) =>
    systemRequest({ ...server, subject, body, timeoutMs: 5_000 });
  const answer = (await ask('$SYS.REQ.SERVER.PING.LEAFZ')) as LeafAnswer;
  const leaves = (answer.data?.leafs ?? []).filter(({ account }) => account === LINK_ACCOUNT);
  for (const { id } of leaves) await ask(`$SYS.REQ.SERVER.${answer.server.id}.KICK`, { cid: id });
}

interface LeafAnswer {
  readonly server: { readonly id: string };
  readonly data?: { readonly leafs?: readonly { readonly id: number; readonly account: string }[] };
}
