import { listOf, type Members, membersOf, textOf } from './members.js'
import { NoWordFor } from './translation.js'

const DATA_URL = /^data:([a-z]+\/[a-z0-9.+-]+);base64,/i

/** OpenAI's parts of a message as Anthropic's blocks. A text alone is one block; an empty one is none. */
export function toBlocks(content: unknown, pointer: string): Members[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return listOf(content).flatMap((part, index) => toBlock(membersOf(part), `${pointer}/${index}`))
}

function toBlock(part: Members, pointer: string): Members[] {
  switch (part['type']) {
    case 'text':
    case 'refusal': {
      const text = textOf(part['text']) || textOf(part['refusal'])
      return text === '' ? [] : [{ type: 'text', text }]
    }
    case 'image_url':
      return [{ type: 'image', source: toSource(textOf(membersOf(part['image_url'])['url'])) }]
    case 'file': {
      const data = textOf(membersOf(part['file'])['file_data'])
      if (!DATA_URL.test(data)) throw new NoWordFor(pointer, 'a file must come with its data here')
      return [{ type: 'document', source: toSource(data) }]
    }
    default:
      throw new NoWordFor(pointer, 'is a kind of content that the backend of this model does not take')
  }
}

function toSource(url: string): Members {
  const mediaType = DATA_URL.exec(url)?.[1]
  if (mediaType === undefined) return { type: 'url', url }
  return { type: 'base64', media_type: mediaType, data: url.slice(url.indexOf(',') + 1) }
}

/** Anthropic's blocks as OpenAI's parts: texts, images and documents. `pointer` is that of the list. */
export function toParts(blocks: readonly unknown[], pointer: string): Members[] {
  return blocks.flatMap((block, index) => toPart(membersOf(block), `${pointer}/${index}`))
}

function toPart(block: Members, pointer: string): Members[] {
  switch (block['type']) {
    case 'text':
      return [{ type: 'text', text: textOf(block['text']) }]
    case 'image':
      return [{ type: 'image_url', image_url: { url: toUrl(membersOf(block['source']), pointer) } }]
    case 'document':
      return [documentPart(block, pointer)]
    // What the model thought is its own provider's business.
    case 'thinking':
    case 'redacted_thinking':
      return []
    default:
      throw new NoWordFor(pointer, 'is a kind of content that the backend of this model does not take')
  }
}

function documentPart(block: Members, pointer: string): Members {
  const source = membersOf(block['source'])
  if (source['type'] === 'text') return { type: 'text', text: textOf(source['data']) }
  const filename = textOf(block['title']) || 'document.pdf'
  return { type: 'file', file: { filename, file_data: toUrl(source, pointer) } }
}

function toUrl(source: Members, pointer: string): string {
  if (source['type'] === 'url') return textOf(source['url'])
  if (source['type'] === 'base64') return `data:${textOf(source['media_type'])};base64,${textOf(source['data'])}`
  throw new NoWordFor(`${pointer}/source`, 'is a kind of source that the backend of this model does not take')
}
