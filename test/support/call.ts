export type CallInit = {
  readonly method?: string
  readonly key?: string | null
  readonly json?: unknown
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Record<string, string>
}
// biome-ignore lint/suspicious/noExplicitAny: what a test asserts is the shape
export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string; readonly json: any }

/** One request; `key` defaults to a project key, null sends none. */
export function call(url: string, path: string, init: CallInit = {}): Promise<Answer> {
  return exchange((request) => fetch(url + path, request), init)
}

/** One request, by whatever answers it. */
export async function exchange(
  send: (request: RequestInit) => Response | Promise<Response>,
  init: CallInit,
): Promise<Answer> {
  const { method = init.json === undefined && init.body === undefined ? 'GET' : 'POST', key = 'test-key' } = init
  const headers = {
    ...(key === null ? {} : { 'X-Project-Key': key }),
    ...(init.json === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...init.headers,
  }
  const body = init.json === undefined ? init.body : JSON.stringify(init.json)
  const response = await send({ method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) })
  const text = await response.text()
  const isJson =
    /json/.test(response.headers.get('content-type') ?? '') &&
    !/ndjson/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
}
