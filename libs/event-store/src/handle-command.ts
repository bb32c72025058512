import type { Acknowledged } from '@headgate/contracts';
import { aggregateOf, type Command, decide } from '@headgate/domain';
import { acknowledge, answerTo } from './answered-commands.js';
import { draftEvent, type Order } from './draft-event.js';
import type { ProjectChain } from './project-chain.js';
import { refuseUnsignable } from './refuse-unsignable.js';

/**
 * One try at one command, in the chain's queue. What goes wrong on the way is for `insist` to judge: a moved head, an unknown
 * outcome, a refusal that rests on an old fold.
 */
export const handleCommand = async (
  chain: ProjectChain,
  command: Command,
  order: Order,
): Promise<Acknowledged> => {
  // Load: what this process knows of the project is in the log, and the log is not behind its witnesses.
  await chain.loadForWriting(order);

  // Fold: the state, and in it the answers already given to command ids.
  const { state } = chain;
  const given = answerTo(state, { project: command.project, ...order });
  if (given !== null) return given;

  // Decide: one command, one fact; throws CommandRefused.
  const fact = decide(state, command, order.now);

  // Append: behind exactly the events that the decision rests on.
  const draft = draftEvent(fact, { project: command.project, ...aggregateOf(command) }, order);
  refuseUnsignable(state, draft);
  const event = await chain.append(draft, order);
  return acknowledge(command.project, event, false);
};
