import { type Bearers, type Caller, type FastifyRequest, RequestRefused } from '@headgate/service-kit';

/** Whom the request's bearer token stands for; refuses when that is nobody. */
export const authenticate = async (request: FastifyRequest, bearers: Bearers): Promise<Caller> => {
  const secret = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (secret === undefined)
    throw new RequestRefused('unauthenticated', 'The request carries no bearer token.');
  const caller = await bearers.authenticate(secret);
  if (!caller) throw new RequestRefused('unauthenticated', 'The token is not known, expired or revoked.');
  return caller;
};
