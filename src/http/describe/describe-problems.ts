import { z } from '@hono/zod-openapi'
import { AppError } from '../../platform/errors.js'
import { PROBLEMS, type ProblemCode } from '../../platform/problem-catalogue.js'
import { PROBLEM_TYPE, type Problem, problemBody } from '../problem.js'

export const PROBLEM_CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]

const REQUEST_ID = '4f1c2a8e-93b7-4d50-a1de-6b2f7c90e583'
const POINTER = '/model'
const MESSAGE = 'must be a string'

const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().openapi({ description: 'What is wrong, for people.' }),
    code: z.enum(PROBLEM_CODES).openapi({ description: 'What is wrong, for programs.' }),
    request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
    current: z.unknown().optional().openapi({ description: 'The state that the request conflicts with.' }),
    revision: z.number().int().optional().openapi({ description: 'The revision that holds.' }),
  })
  .openapi('Problem', { description: 'RFC 9457 problem details.', example: problemExample('validation-failed') })

/** A problem of this code as the service answers it; the sentence for people is the catalogue's title. */
export function problemExample(code: ProblemCode): Problem {
  const errors = [{ pointer: POINTER, message: MESSAGE }]
  const error =
    code === 'validation-failed'
      ? new AppError(code, `${POINTER}: ${MESSAGE}`, { errors })
      : new AppError(code, `${PROBLEMS[code].title}.`)
  return problemBody(error, REQUEST_ID)
}

/** The problems of a route, by status, each with an example under `components`. */
export function describeProblems(found: readonly ProblemCode[]) {
  const statuses = [...new Set(found.map((code) => PROBLEMS[code].status))].sort()
  return Object.fromEntries(
    statuses.map((status) => {
      const here = found.filter((code) => PROBLEMS[code].status === status)
      const description = here.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' ')
      const examples = Object.fromEntries(here.map((code) => [code, { $ref: `#/components/examples/${code}` }]))
      return [status, { description, content: { [PROBLEM_TYPE]: { schema: ProblemSchema, examples } } }]
    }),
  )
}
