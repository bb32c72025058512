import { join } from 'node:path';
import rules from './dependency-rules.cjs';
import { ROOT, runTool } from './run-tool.mjs';

/**
 * What dependency-cruiser found in one tree.
 *
 * @typedef {object} Cruise
 * @property {readonly string[]} seen the given files that it read
 * @property {readonly { readonly rule: string, readonly from: string, readonly to: string, readonly why: string }[]} violations
 */

/**
 * Checks the dependency rules over `files` of the tree `root`.
 *
 * @param {string} root
 * @param {readonly string[]} files
 * @returns {Cruise}
 */
export function cruise(root, files) {
  const config = join(ROOT, 'infra', 'quality', 'dependency-rules.cjs');
  const { stdout, stderr } = runTool(
    'dependency-cruiser/bin/dependency-cruise.mjs',
    ['--config', config, '--output-type', 'json', ...files],
    root,
  );
  if (!stdout) throw new Error(`dependency-cruiser printed nothing: ${stderr}`);
  /** @type {{ modules: { source: string }[], summary: { violations: { from: string, to: string,
   *   rule: { name: string } }[] } }} */
  const { modules, summary } = JSON.parse(stdout);
  const found = new Set(modules.map(({ source }) => source));
  return {
    seen: files.filter((file) => found.has(file)),
    violations: summary.violations.map(({ rule, from, to }) => ({
      rule: rule.name,
      from,
      to,
      why: rules.forbidden.find(({ name }) => name === rule.name)?.comment ?? '',
    })),
  };
}
