import type { Members } from './members.js'

/** A request in another language, or the first thing in it that has no word there. `pointer` is an RFC 6901 pointer. */
export type TranslatedRequest =
  | { readonly ok: true; readonly request: Members }
  | { readonly ok: false; readonly pointer: string; readonly message: string }

/** Thrown inside this folder, and told by the functions at its door. */
export class NoWordFor extends Error {
  readonly pointer: string

  constructor(pointer: string, message: string) {
    super(message)
    this.pointer = pointer
  }
}

/** The translation, or what it has no word for. */
export function translated(translate: () => Members): TranslatedRequest {
  try {
    return { ok: true, request: translate() }
  } catch (error) {
    if (error instanceof NoWordFor) return { ok: false, pointer: error.pointer, message: error.message }
    throw error
  }
}
