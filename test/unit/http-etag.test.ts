import { describe, expect, test } from 'vitest'
import { matchesEtag } from '../../src/http/etag.js'

const ETAG = '"v1,2"'

describe('If-None-Match (RFC 9110, 13.1.2)', () => {
  test.each([
    ['the tag', ETAG],
    ['the tag, compared weakly', `W/${ETAG}`],
    ['any', '*'],
    ['any, with blanks', ' * '],
    ['a list with the tag at its end', `"a", W/"b", ${ETAG}`],
    ['a list without blanks', `"a",${ETAG},"c"`],
    ['a list with empty members', `, ,${ETAG},,`],
    ['a list with an empty tag before it', `"", ${ETAG}`],
    ['a list with a comma in a tag before it', `"a, b", ${ETAG}`],
  ])('names %s', (_, sent) => {
    expect(matchesEtag(sent, ETAG)).toBe(true)
  })

  test.each([
    ['nothing, where it is not sent', undefined],
    ['nothing, where it is empty', ''],
    ['an empty tag', '""'],
    ['another tag', '"v1"'],
    ['a tag with the same start', '"v1,2,3"'],
    ['the parts of the tag around its comma', '"v1", "2"'],
    ['the tag without its quotes', 'v1,2'],
    ['the tag in other letters', '"V1,2"'],
    ['a tag that is *', '"*"'],
    ['a tag that is not closed', '"v1,2'],
  ])('does not name %s', (_, sent) => {
    expect(matchesEtag(sent, ETAG)).toBe(false)
  })

  test('is read in a time that grows with its length', () => {
    expect(matchesEtag('"x",W/'.repeat(2_500), ETAG)).toBe(false)
  })
})
