import { join, resolve } from 'node:path';
import { loadConfig, processLog, serveUntilSignal } from '@headgate/service-kit';
import { readyText } from './installation/ready.js';
import { readArguments, USAGE } from './read-arguments.js';
import { standaloneConfig } from './standalone-config.js';
import { startStandalone } from './start-standalone.js';

await serveUntilSignal(async () => {
  const { isHelp, isJson, flags } = readArguments(process.argv.slice(2));
  if (isHelp) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  const dataDir = resolve(String(flags.dataDir ?? process.env.HEADGATE_DATA_DIR ?? '.headgate'));
  const { value: config, effective } = loadConfig(standaloneConfig, {
    env: process.env,
    file: join(dataDir, 'config.json'),
    flags,
  });
  const log = processLog('headgate', config.logLevel);
  log.debug('configuration', { effective });
  const running = await startStandalone({ ...config, dataDir }, log);
  process.stdout.write(isJson ? `${JSON.stringify(running.ready)}\n` : readyText(running.ready));
  return running;
});
