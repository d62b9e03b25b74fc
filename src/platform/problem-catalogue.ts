/**
 * Every problem the service can answer with: its status and its title. This one table feeds the HTTP status, the
 * OpenAPI components and the docs (RFC 9457: `type` is derived from the code).
 */
export const PROBLEMS = {
  'malformed-request': { status: 400, title: 'The request is malformed' },
  'malformed-json': { status: 400, title: 'The body is not well-formed JSON' },
  'malformed-key': { status: 400, title: 'The key is malformed' },
  'conflicting-keys': { status: 400, title: 'The request carries different keys' },
  'receipt-not-verified': { status: 400, title: 'The receipt does not verify' },
  'key-required': { status: 401, title: 'A key is required' },
  'key-unknown': { status: 401, title: 'The key is not valid' },
  'role-not-allowed': { status: 403, title: 'The key may not do this' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  'nothing-to-certify': { status: 409, title: 'Nothing is left to certify' },
  'not-logged-yet': { status: 409, title: 'No checkpoint covers it yet' },
  conflict: { status: 409, title: 'The request conflicts with what is stored' },
  'precondition-failed': { status: 412, title: 'What the request expects does not hold' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'project-full': { status: 413, title: 'The project holds as much as it may' },
  'unsupported-media-type': { status: 415, title: 'The content type is not supported' },
  'validation-failed': { status: 422, title: 'The request is not valid' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key was used for something else' },
  'upstream-refused': { status: 400, title: 'The upstream refused the request' },
  'model-not-found': { status: 404, title: 'No backend serves this model' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Internal error' },
  'upstream-failed': { status: 502, title: 'The upstream failed' },
  'upstream-unavailable': { status: 503, title: 'No upstream is available' },
  'database-unavailable': { status: 503, title: 'The database is not available' },
  'registry-unavailable': { status: 503, title: 'The registry is not available' },
  'log-suspended': { status: 503, title: 'The log is suspended' },
  'receipts-not-configured': { status: 503, title: 'Receipts are not configured' },
  'webhooks-not-configured': { status: 503, title: 'Webhooks are not configured' },
  overloaded: { status: 503, title: 'The service is overloaded' },
  'timed-out': { status: 503, title: 'The request took too long' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof PROBLEMS
