import type { Params, Result, Router } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { SmartRouter } from 'hono/router/smart-router'
import { TrieRouter } from 'hono/router/trie-router'

/**
 * Exact paths first, one Map lookup each; paths with parameters through Hono's own routers. With those alone,
 * `/aliases/resolve` would match `/aliases/{alias}`, too: two handlers, so Hono chains them with promises, and the warm
 * resolve pays a third more CPU.
 */
export class ExactFirstRouter<T> implements Router<T> {
  readonly name = 'ExactFirstRouter'
  readonly #exact = new Map<string, Result<T>>()
  readonly #patterns = new SmartRouter<T>({ routers: [new RegExpRouter(), new TrieRouter()] })

  add(method: string, path: string, handler: T): void {
    if (/[:*{]/.test(path)) this.#patterns.add(method, path, handler)
    else this.#exact.set(`${method} ${path}`, [[[handler, Object.create(null) as Params]]])
  }

  /** Whether a path itself was added, for this method: not one with parameters that matches it, too. */
  knowsExactly(method: string, path: string): boolean {
    return this.#exact.has(`${method} ${path}`)
  }

  match(method: string, path: string): Result<T> {
    return this.#exact.get(`${method} ${path}`) ?? this.#patterns.match(method, path)
  }
}
