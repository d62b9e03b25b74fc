import { expect, test } from 'vitest'
import { createStop } from '../../src/platform/stop.js'

test('tells everybody once, and why', () => {
  const stop = createStop<'over' | 'left'>()
  const heard: string[] = []
  stop.whenStopped(() => heard.push('first'))
  stop.whenStopped(() => heard.push('second'))
  expect(stop.why()).toBeUndefined()
  stop.stop('over')
  stop.stop('left')
  expect(heard).toEqual(['first', 'second'])
  expect(stop.why()).toBe('over')
})

test('tells at once what asks later, and never what took it back', () => {
  const stop = createStop<'over'>()
  const heard: string[] = []
  stop.whenStopped(() => heard.push('taken back'))()
  stop.stop('over')
  stop.whenStopped(() => heard.push('later'))
  expect(heard).toEqual(['later'])
})
