import { SOURCES } from '@headgate/flag-file';
import { Option } from 'commander';

export const fromOption = (): Option =>
  new Option('--from <origin>', 'whose file it is; found out by its content when absent').choices(SOURCES);

export const environmentOption = (): Option =>
  new Option('--environment <name>', 'environment of an Unleash export that has several');
