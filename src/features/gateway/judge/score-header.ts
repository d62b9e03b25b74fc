import { AppError } from '../../../platform/errors.js'
import type { Served } from '../call.js'

/** The answer, or the problem, with the score of the request in its headers. */
export async function scored(score: number, serve: () => Promise<Served>): Promise<Served> {
  const header = { 'X-LLM-Router-Score': String(score) }
  try {
    const { answer, headers } = await serve()
    return { answer, headers: { ...headers, ...header } }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { code, message, extras } = error
    throw new AppError(code, message, { ...extras, headers: { ...extras.headers, ...header } })
  }
}
