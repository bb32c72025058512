import { connectHeadgate, type EvaluationContext, type Headgate } from '@headgate/sdk';
import { HeadgateProvider } from '@headgate/sdk/openfeature';
import { startScriptedGateway } from '../../../support/scripted-gateway.js';
import { SignedChannel } from '../../../support/signed-channel.js';
import { FLAGD_FLAGS } from '../flagd-flags.js';
import { askEach, type System } from '../system.js';
import { openFeature } from './openfeature.js';

/** The whole SDK over a signed channel: it looks the flag up, evaluates and counts what was served. */
export const headgateSdk = async (version: string): Promise<readonly System<EvaluationContext>[]> => {
  const channel = new SignedChannel();
  const documents = Object.values(FLAGD_FLAGS).map(({ key, defaultVariant = null, targeting }, index) =>
    channel.document(index + 1, {
      key,
      defaultVariant,
      ...(targeting === undefined ? {} : { targeting: targeting as never }),
    }),
  );
  channel.commit(...documents);
  const gateway = await startScriptedGateway({ onStream: (stream) => stream.send('state', channel.state()) });
  const client: Headgate = connectHeadgate({
    url: gateway.url,
    project: channel.project,
    channel: channel.channel,
    root: channel.pin,
    instanceId: 'bench',
    siteSalt: 'bench',
    telemetry: false,
  });
  if (!(await client.ready(10_000))) throw new Error('the SDK has no flags');
  const contextOf: System<EvaluationContext>['contextOf'] = (subject) => ({ ...subject });
  const counting: System<EvaluationContext> = {
    system: 'headgate sdk, counting exposures',
    version,
    contextOf,
    ask: askEach((key) => ({ sync: (context) => client.boolean(key, false, context) })),
  };
  const provided = await openFeature('headgate', version, new HeadgateProvider(client));
  const close = async () => {
    await provided.close?.();
    await client.close();
    await gateway.close();
  };
  return [counting, { ...(provided as System<EvaluationContext>), close }];
};
