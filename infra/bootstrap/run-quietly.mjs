import { spawn } from 'node:child_process';

/**
 * Runs a command without stdin and collects what it prints; rejects with the end of that when it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ readonly cwd?: string, readonly env?: NodeJS.ProcessEnv, readonly timeoutMs?: number }} [options]
 * @returns {Promise<string>} stdout
 */
export function runQuietly(command, args, { cwd, env, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let all = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      all += chunk;
    });
    child.stderr.on('data', (chunk) => {
      all += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const end = all.trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${command} ${args[0] ?? ''} ended with ${signal ?? code}${end ? `:\n${end}` : ''}`));
    });
  });
}
