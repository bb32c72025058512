import type { Acknowledged, LookView, RolloutView } from '@headgate/contracts';

/** The demo uses the same HTTP API as everybody: no door of its own. */
export interface Api {
  post<T = Acknowledged>(path: string, body: unknown): Promise<T>;
  get<T>(path: string): Promise<T>;
  /** Ends when the rollout has ended or the signal says so. */
  watch(path: string, signal: AbortSignal): AsyncIterable<Watched>;
}

export type Watched =
  | { readonly event: 'rollout'; readonly data: RolloutView }
  | { readonly event: 'look'; readonly data: LookView };

export const openApi = (url: string, token: string): Api => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const call = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    post: async <T>(path: string, body: unknown) => (await (await call('POST', path, body)).json()) as T,
    get: async <T>(path: string) => (await (await call('GET', path)).json()) as T,
    watch: (path, signal) => watch(`${url}${path}`, headers, signal),
  };
};

async function* watch(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): AsyncIterable<Watched> {
  const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal });
  if (!response.ok || !response.body)
    throw new Error(`GET ${url}: ${response.status} ${await response.text()}`);
  let text = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = parse(text.slice(0, end));
      text = text.slice(end + 2);
      if (event) yield event;
    }
  }
}

const parse = (block: string): Watched | null => {
  const field = (name: string): string | undefined =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const [event, data] = [field('event'), field('data')];
  return data && (event === 'rollout' || event === 'look') ? { event, data: JSON.parse(data) } : null;
};
