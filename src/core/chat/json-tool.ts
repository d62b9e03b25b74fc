import { listOf, type Members, membersOf } from './members.js'

/** What the answer is the input of, where a caller wants JSON and the upstream has no mode for it. */
export const JSON_TOOL = 'answer'

const DESCRIPTION =
  'Gives the answer. Its input is the whole answer: one JSON object with the members that were asked for, never an empty one.'

/**
 * Whether a request wants any JSON object. Anthropic has no mode without a schema; a tool that must be called has an input
 * that is one. A caller with tools of its own would lose them, and is served in words.
 */
export const wantsJsonTool = (body: Members): boolean =>
  membersOf(body['response_format'])['type'] === 'json_object' && listOf(body['tools']).length === 0

/** The tool, and that it must be called, once. */
export const jsonToolMembers = (): Members => ({
  tools: [
    {
      ...{ name: JSON_TOOL, description: DESCRIPTION },
      input_schema: { type: 'object', properties: {}, additionalProperties: true },
    },
  ],
  tool_choice: { type: 'tool', name: JSON_TOOL, disable_parallel_tool_use: true },
})
