import { writePrivateFile } from '@headgate/embedded';

/** What an installation says of itself once everything serves. Its form is an interface: programs read it. */
export interface Ready {
  readonly schema: 'headgate.ready.v1';
  readonly name: string;
  readonly url: string;
  /** `host:port` of flagd's gRPC services. */
  readonly grpcAddress: string;
  /** At the first start only. */
  readonly adminToken: string | null;
  /** For reports of SDKs and agents. */
  readonly ingestToken: string;
  /** Of this installation's root: what SDKs pin. */
  readonly rootPin: string;
  readonly natsUrl: string;
  readonly leafUrl: string | null;
  readonly dataDir: string;
  readonly pid: number;
}

export const writeReady = (file: string, ready: Ready): void =>
  writePrivateFile(file, `${JSON.stringify(ready)}\n`);

/** For people: what it is, what to keep, what to type next. */
export const readyText = (ready: Ready): string => {
  const { url, grpcAddress, adminToken, rootPin, ingestToken } = ready;
  const lines = [
    `Headgate "${ready.name}" serves at ${url}  (data in ${ready.dataDir}, Ctrl-C stops everything)`,
    '',
    ...(adminToken === null
      ? ['  admin token   shown at the first start only; lost it? npx headgate token recover']
      : [`  admin token   ${adminToken}`, '                keep it: it is not shown again']),
    `  root pin      ${rootPin}   (SDKs verify flags against it)`,
    `  ingest token  ${ingestToken}   (SDKs send reports with it)`,
    `  flagd         ${grpcAddress}   (flagd providers, selector flagSetId=<project>/<channel>)`,
    '',
    'Next, in another terminal:',
    ...(adminToken === null ? [] : [`  export HEADGATE_TOKEN=${adminToken}`]),
    '  npx headgate project create web --why "our first project"',
  ];
  return `${lines.join('\n')}\n`;
};
