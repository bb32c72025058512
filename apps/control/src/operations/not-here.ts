import { RequestRefused } from '@headgate/service-kit';

/** For what another process of the installation does. */
export const notHere = (what: string): never => {
  throw new RequestRefused(
    'not-found',
    `This process has no access to ${what}; ask the installation's standalone server.`,
  );
};
