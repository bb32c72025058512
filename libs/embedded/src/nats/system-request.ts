import { connect } from 'node:net';

export interface SystemRequest {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly subject: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
}

/**
 * Asks a nats-server something of its own and gives the answer's JSON: one request over one connection, in the few words
 * of the client protocol that this takes, because only libs/streams may depend on the client library.
 */
export function systemRequest(request: SystemRequest): Promise<unknown> {
  const { host, port, user, password, subject, body, timeoutMs } = request;
  const payload = body === undefined ? '' : JSON.stringify(body);
  const inbox = `_INBOX.${user}.answer`;
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host, port });
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(`nats-server at ${host}:${port} did not answer ${subject}: ${why}`));
    };
    socket.setTimeout(timeoutMs, () => fail(`nothing came within ${timeoutMs} ms`));
    socket.once('error', (error) => fail(error.message));
    socket.once('close', () => fail('it closed the connection'));
    socket.once('connect', () => {
      const options = { verbose: false, pedantic: false, user, pass: password, headers: false };
      socket.write(
        `CONNECT ${JSON.stringify(options)}\r\nSUB ${inbox} 1\r\nPUB ${subject} ${inbox} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`,
      );
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const answer = readAnswer(received);
      if (answer.refusal !== undefined) fail(answer.refusal);
      if (answer.text === undefined) return;
      socket.removeAllListeners('close');
      socket.destroy();
      try {
        resolve(answer.text === '' ? null : JSON.parse(answer.text));
      } catch (error) {
        reject(new Error(`nats-server answered ${subject} with something other than JSON`, { cause: error }));
      }
    });
  });
}

function readAnswer(received: Buffer): { readonly text?: string; readonly refusal?: string } {
  const text = received.toString('latin1');
  const refusal = /^-ERR (.*)\r\n/m.exec(text);
  if (refusal) return { refusal: refusal[1] ?? 'refused' };
  const head = /^MSG \S+ 1 +(?:\S+ +)?(\d+)\r\n/m.exec(text);
  if (!head) return {};
  const start = head.index + head[0].length;
  const end = start + Number(head[1]);
  return received.length < end + 2 ? {} : { text: received.toString('utf8', start, end) };
}
