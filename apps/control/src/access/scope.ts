import { type Caller, RequestRefused } from '@headgate/service-kit';

/** For what has its project in the body or in the thing itself, where the guard cannot see it. `null`: the whole installation. */
export const refuseOutsideScope = (caller: Caller, project: string | null): void => {
  if (caller.project === null || caller.project === project) return;
  throw new RequestRefused('forbidden', `The token is for project "${caller.project}" only.`);
};
